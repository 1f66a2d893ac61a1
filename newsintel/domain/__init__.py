"""The decisions of newsintel: pure functions and frozen values, without clock, loop or I/O."""
