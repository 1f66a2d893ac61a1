"""The targets of `just bench`. Each module has `run(rig, options)`, which returns a report."""
