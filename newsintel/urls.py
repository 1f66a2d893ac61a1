"""Which addresses can be opened, and which of them are the same page."""

from urllib.parse import urlsplit


def usable(raw: str) -> str | None:
    """The address if it is http or https, has a host and is no longer than 2048 characters; else None."""
    try:
        parts = urlsplit(raw.strip())
    except ValueError:
        return None
    return raw.strip() if parts.scheme in ("http", "https") and parts.netloc and len(raw) <= 2048 else None


def canonical(url: str) -> str:
    """One address for all spellings of the same page."""
    return url.split("#", 1)[0].rstrip("/")
