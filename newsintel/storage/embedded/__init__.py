"""The servers that newsintel starts for itself, and the files in DATA_DIR."""
