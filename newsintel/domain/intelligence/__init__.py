"""What newsintel makes of its archive and of how it is used: pure decisions, one idea per file."""
