"""Cuts what outlets add to a title of the same story."""

import re

_LEADING = re.compile(
    r"""(?: (?:breaking|breaking\ news|exclusive|just\ in|live|live\ updates|opinion|video|watch
              |photos|pictures|update|updated|factbox|insight|analysis)\ ?[:|]\ ?
          | exclusive\ ?-(?=\ |[A-Z])
          | (?:update|wrapup|rpt)\ ?\d{0,2}\ ?-\ ?
          | (?:corrected|refile|graphic)-\ ?
          | [\[(](?:breaking|exclusive|live|video|watch|photos?|update)[\])]\ ?
        )+""",
    re.VERBOSE | re.IGNORECASE,
)
_TRAILING = re.compile(
    r"""(?: \ ?[\[(](?:live|pictures|photos?|video|updated?|\+?\ ?video|poll|gallery)[\])]
          | \ [-–—|]\ (?:as\ it\ happened|in\ pictures|live|live\ updates|video|photos)
          | \ ?\.\.\.|\ ?…
        )+$""",  # noqa: RUF001 - titles use every dash
    re.VERBOSE | re.IGNORECASE,
)
_DECORATED = re.compile(r"[:|\-\[(]")
"""Each decoration at the beginning has one of these signs; most titles have none."""
_SEPARATOR = re.compile(r" [-–—|] ")  # noqa: RUF001
_ENDS = ("]", ")", "...", "…")
"""Each decoration at the end has the one or is the other; most titles have neither."""
_TAIL = re.compile(
    r"(?P<title>\S+(?: \S+){5,}) (?:\| \S+(?: \S+){0,3}|[-–—] (?:[^\Wa-z]\S*)(?: [^\Wa-z]\S*){0,3})"  # noqa: RUF001
)
"""An outlet's or a columnist's name: one to four words after a bar, or with capitals after a
dash, if at least six words precede it: `opening bell 10 March | markets slump` keeps its end."""


def cut_decorations(title: str) -> str:
    """Return a title, in NFKC with single spaces, without decorations; never nothing."""
    separated = _SEPARATOR.search(title)
    tail = _TAIL.fullmatch(title) if separated else None
    bare = tail["title"] if tail else title
    leading = _LEADING.match(bare) if _DECORATED.search(bare) else None
    bare = bare[leading.end() :] if leading else bare
    if separated or bare.endswith(_ENDS):
        bare = _TRAILING.sub("", bare)
    return bare.strip() or title
