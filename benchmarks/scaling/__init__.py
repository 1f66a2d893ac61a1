"""What breaks first as searches grow: a queueing model, fed by measured service times."""
