"""Server-sent events as bytes (WHATWG HTML, 9.2: text/event-stream). Pure."""

EVENT_STREAM = "text/event-stream"
"""The media type. Its encoding is always UTF-8."""

HEARTBEAT = b":\n\n"
"""A comment. Clients ignore it; proxies see that the connection is in use."""


def format_event(name: str, event_id: str, data: bytes) -> bytes:
    """Return one event.

    Args:
        name: its type.
        event_id: what a client that reconnects sends as Last-Event-ID.
        data: JSON without line breaks: each would need a field of its own.
    """
    return b"event: %b\nid: %b\ndata: %b\n\n" % (name.encode(), event_id.encode(), data)
