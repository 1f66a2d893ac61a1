"""The commands, one file each: `add_parser` declares it, `run` is its body."""
