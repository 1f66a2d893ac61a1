"""Reads the dates of feeds: RFC 822 with its usual faults, and ISO 8601 with parts left out."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_MOST_CHARS = 64

_ISO = re.compile(
    r"(?P<year>\d{4})(?:-?(?P<month>\d{2})(?:-?(?P<day>\d{2}))?)?"
    r"(?:[Tt ]+(?P<hour>\d{1,2})(?::?(?P<minute>\d{2})(?::?(?P<second>\d{2})(?:[.,]\d+)?)?)?"
    r"\s*(?P<zone>[Zz]|[+-]\d{2}:?(?:\d{2})?)?)?"
)
"""W3CDTF, and what feeds write instead: no hyphens, a space for the T, no minutes in the zone."""

_ZONES = {"MEZ": "+0100", "CET": "+0100", "BST": "+0100", "MESZ": "+0200", "CEST": "+0200"}
_ZONES |= {"EET": "+0200", "EEST": "+0300", "MSK": "+0300", "IST": "+0530", "SGT": "+0800"}
_ZONES |= {"HKT": "+0800", "JST": "+0900", "KST": "+0900", "AEST": "+1000", "AEDT": "+1100"}
_ZONES |= {"WAT": "+0100", "SAST": "+0200", "EAT": "+0300", "WIB": "+0700", "BRT": "-0300"}
_ZONES |= {"ET": "-0500", "CT": "-0600", "MT": "-0700", "PT": "-0800", "Z": "+0000"}
"""Zones that RFC 822 does not name. Each is that of the newspapers that write it: IST is India's,
BST Britain's."""
_ZONE = re.compile(rf"\b({'|'.join(_ZONES)})\s*\Z")
_OFFSET_NAME = re.compile(r"\b(?:GMT|UTC)\s*([+-]\d{2}):?(\d{2})?\s*\Z")
_OFFSET = re.compile(r"([+-]\d{2}):(\d{2})\s*\Z")
_COMMENT = re.compile(r"\([^()]*\)\s*\Z")


def parse_date(text: str) -> datetime | None:
    """Return the time that a feed's date names, in UTC; None if it names none.

    A date without a time is the beginning of its day; a time without a zone is UTC.
    """
    text = text.strip()[:_MOST_CHARS]
    match = _ISO.fullmatch(text)
    try:
        found = _parse_iso(match) if match else _parse_822(text)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


def _parse_iso(match: re.Match[str]) -> datetime:
    hour, minute, second = (int(match[name] or 0) for name in ("hour", "minute", "second"))
    zone = (match["zone"] or "Z").upper().replace(":", "")
    zone = "+0000" if zone == "Z" else zone.ljust(5, "0")
    day = f"{match['year']}-{match['month'] or '01'}-{match['day'] or '01'}"
    clock = f"{hour:02}:{minute:02}:{min(second, 59):02}"  # a leap second is none in Python
    return datetime.fromisoformat(f"{day}T{clock}{zone}")


def _parse_822(text: str) -> datetime:
    text = _COMMENT.sub("", text)
    text = _ZONE.sub(lambda zone: _ZONES[zone[1]], text)
    text = _OFFSET_NAME.sub(lambda offset: f"{offset[1]}{offset[2] or '00'}", text)
    return parsedate_to_datetime(_OFFSET.sub(r"\1\2", text))
