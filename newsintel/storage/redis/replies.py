"""Checks replies where they are read, so that a reply of another form fails its operation."""


def check_bytes(reply: object) -> bytes | None:
    """Return a reply that is bytes or nothing; raise TypeError for any other."""
    if reply is None or isinstance(reply, bytes):
        return reply
    raise TypeError(f"expected bytes, not {type(reply).__name__}")
