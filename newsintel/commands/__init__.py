"""The commands, one file each.

`add_parser` declares a command's arguments. `run` runs it and returns the exit code.
"""
