"""Splits a long text into parts, so that work on it does not block other tasks."""

from collections.abc import Iterator


def cut_at_spaces(text: str, part_chars: int, overlap_chars: int = 0) -> Iterator[str]:
    """Split a text at spaces, and inside a word only if the word is longer than a part.

    Args:
        text: the text to split.
        part_chars: the maximum distance from the start of one part to the start of the next.
        overlap_chars: each part also holds up to this many characters of what follows. So any piece
            of at most this length that does not end inside a word is whole in one part.

    Yields:
        Parts of at most `part_chars + overlap_chars`. Without an overlap, their concatenation is
        the text.
    """
    start = 0
    while (longest := start + part_chars + overlap_chars) < len(text):
        after = text.rfind(" ", start + 1, start + part_chars)
        following = after if after > 0 else start + part_chars
        end = text.rfind(" ", start + part_chars, longest) if overlap_chars else following
        yield text[start : end if end > 0 else longest]
        start = following
    yield text[start:]
