"""The targets of `just bench`: one file each, with one `run(rig, options)` that gives a report."""
