"""Objects that live while the process runs and are shared by actors and routes."""
