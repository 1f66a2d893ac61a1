"""What newsintel decides, as pure functions and frozen values: no clock, no loop, no client, no server."""
