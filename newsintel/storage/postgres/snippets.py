"""Passages with their matches marked: PostgreSQL chooses and marks them, here the marks become offsets."""

from newsintel.archive_model import Snippet

START, STOP = "\x02", "\x03"
"""The marks: control characters, of which archived text has none, so nothing that an article says can pass for one."""

OPTIONS = f'StartSel="{START}", StopSel="{STOP}", MaxWords=30, MinWords=12, ShortWord=0'

LONGEST = 20_000
"""Characters of a text in which a passage is looked for: PostgreSQL parses all of it, for every row of a page."""


def headline_sql(text: str, words: str) -> str:
    """SQL for the marked passage of a text, which is SQL too, as is the tsquery. Marks that it held of itself are taken out before."""
    return f"ts_headline('english', translate(left({text}, {LONGEST}), E'\\x02\\x03', ''), {words}, E'{_escaped(OPTIONS)}')"


def _escaped(text: str) -> str:
    return text.replace(START, "\\x02").replace(STOP, "\\x03")


def snippet(passages: tuple[str | None, ...]) -> Snippet | None:
    """The first passage in which something is marked; None if nothing is in any."""
    for marked in passages:
        found = _offsets(marked or "")
        if found.highlights:
            return found
    return None


def _offsets(marked: str) -> Snippet:
    """A passage without its marks, and where they were."""
    text = ""
    highlights: list[tuple[int, int]] = []
    for number, part in enumerate(marked.split(START)):
        match, _, rest = part.partition(STOP) if number else ("", "", part)
        if match:
            highlights.append((len(text), len(text) + len(match)))
        text += match + rest
    return Snippet(text, tuple(highlights))
