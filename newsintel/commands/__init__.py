"""The commands, one file each: `add_parser` says how it is called, `run` does it and returns the exit code."""
