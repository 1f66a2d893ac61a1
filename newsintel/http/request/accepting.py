"""What a client would rather have, by its Accept header (RFC 9110, 12.5.1).

The framework's reader takes time with the square of the header's length: 16 KiB of spaces hold up everybody for half a second.
"""

LONGEST = 1_000
"""Characters that are read. Browsers send 150; what is longer asks for nothing that we could tell."""


def prefers(accept: str, wanted: str, *others: str) -> bool:
    """Whether a media type is asked for more than each of some others are."""
    ranges = _ranges(accept) if len(accept) <= LONGEST else {}
    return _quality(ranges, wanted) > max(_quality(ranges, other) for other in others)


def _ranges(accept: str) -> dict[str, float]:
    """The quality of each media range; one with parameters is none of ours, and a quality that is no number counts for nothing."""
    ranges: dict[str, float] = {}
    for member in accept.lower().split(","):
        media, *parameters = (part.strip() for part in member.split(";"))
        names = [one.partition("=")[0].strip() for one in parameters]
        if names in ([], ["q"]):
            quality = _weight(parameters[0].partition("=")[2].strip()) if parameters else 1.0
            ranges[media] = max(quality, ranges.get(media, 0.0))
    return ranges


def _weight(digits: str) -> float:
    """A quality from 0 to 1; 0 for what is none."""
    try:
        return min(1.0, max(0.0, float(digits))) if digits.replace(".", "", 1).isdecimal() else 0.0
    except ValueError:
        return 0.0


def _quality(ranges: dict[str, float], media: str) -> float:
    """How much a media type is wanted, by the most specific range that it is in."""
    within = (media, media.partition("/")[0] + "/*", "*/*")
    return next((ranges[one] for one in within if one in ranges), 0.0)
