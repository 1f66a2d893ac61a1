"""When a source may be asked, and how often a person may."""
