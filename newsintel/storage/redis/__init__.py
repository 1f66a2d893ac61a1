"""The ports that Redis fulfils, one file per noun."""
