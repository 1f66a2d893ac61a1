"""Content negotiation by the headers Accept and Accept-Encoding (RFC 9110, 12.5.1 and 12.5.3).

The framework's parser takes time quadratic in the header's length: 16 KiB of spaces block all
requests for half a second.
"""

from collections.abc import Iterable
from functools import lru_cache

MAX_ACCEPT_CHARS = 1_000
"""Characters of an Accept header. Browsers send 150; a longer header is ignored."""


def is_preferred(accept: str, wanted: str, *others: str) -> bool:
    """Whether the client prefers one media type to each of the others."""
    ranges = _parse_ranges(accept) if len(accept) <= MAX_ACCEPT_CHARS else {}
    return _find_quality(ranges, wanted) > max(_find_quality(ranges, other) for other in others)


def accepts_gzip(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether a request's header lines name the coding gzip, with a quality above 0.

    And whether the client does not prefer an answer without coding (`identity`).
    """
    given = b",".join(value for name, value in headers if name == b"accept-encoding")
    return len(given) <= MAX_ACCEPT_CHARS and _prefer_gzip(given)


# Cached: browsers send the same few values with every request.
@lru_cache(maxsize=64)
def _prefer_gzip(codings: bytes) -> bool:
    ranges = _parse_ranges(codings.decode("latin-1"))
    return 0 < ranges.get("gzip", 0.0) >= ranges.get("identity", 0.0)


def _parse_ranges(accept: str) -> dict[str, float]:
    """Return the quality of each media range.

    Ranges with parameters are ignored. A quality that is not a number counts as 0.
    """
    ranges: dict[str, float] = {}
    for member in accept.lower().split(","):
        media, *parameters = (part.strip() for part in member.split(";"))
        names = [one.partition("=")[0].strip() for one in parameters]
        if names in ([], ["q"]):
            quality = _parse_quality(parameters[0].partition("=")[2].strip()) if parameters else 1.0
            ranges[media] = max(quality, ranges.get(media, 0.0))
    return ranges


def _parse_quality(digits: str) -> float:
    """Return a quality from 0 to 1; 0 for invalid text."""
    try:
        return min(1.0, max(0.0, float(digits))) if digits.replace(".", "", 1).isdecimal() else 0.0
    except ValueError:
        return 0.0


def _find_quality(ranges: dict[str, float], media: str) -> float:
    """Return the quality of a media type, by the most specific range that contains it."""
    within = (media, media.partition("/")[0] + "/*", "*/*")
    return next((ranges[one] for one in within if one in ranges), 0.0)
