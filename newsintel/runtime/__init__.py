"""What lives in the process while it runs: tasks' shared objects between actors and routes."""
