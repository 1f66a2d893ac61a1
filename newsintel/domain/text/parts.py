"""A long text in parts, for work that others must not wait for."""

from collections.abc import Iterator


def cut_at_spaces(text: str, part_chars: int, overlap_chars: int = 0) -> Iterator[str]:
    """A text in parts, cut at spaces; inside a word only if that is longer than a part.

    Args:
        text: what is cut.
        part_chars: by how much of the text each part goes on at most.
        overlap_chars: what follows a part is in it as well, by so many characters at most: whatever has no more than that and does not
            end inside a word is whole in one part.

    Yields:
        Parts of `part_chars + overlap_chars` at most; without an overlap, together they are the text.
    """
    start = 0
    while (longest := start + part_chars + overlap_chars) < len(text):
        after = text.rfind(" ", start + 1, start + part_chars)
        following = after if after > 0 else start + part_chars
        end = text.rfind(" ", start + part_chars, longest) if overlap_chars else following
        yield text[start : end if end > 0 else longest]
        start = following
    yield text[start:]
