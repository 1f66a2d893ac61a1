"""Finds the passwords in the URLs of stores and servers."""

import re
from urllib.parse import unquote


def extract_passwords(text_: str) -> set[str]:
    """Return the passwords of all URLs in a text: as they are written there, and decoded."""
    written = [
        word
        for pair in re.findall(r"://[^:/@]*:([^/]*)@|[?&](?:ssl_?)?password=([^&]*)", text_)
        for word in pair
        if word
    ]
    return {*written, *map(unquote, written)}
