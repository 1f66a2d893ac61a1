"""The embedded servers that newsintel starts, and the files in DATA_DIR."""
