"""Replaces secrets in a finished log line by stars: known ones, and text that looks like one.

A known secret is found in all spellings of messages: plain, in a Python literal, in a URL, in JSON.
In a line of JSON only strings are changed, and only values, so that the line stays JSON.
"""

import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus, unquote

STARS = "***"

SHORT = 8
"""A shorter secret is only replaced as a whole word: `news` must not make `newsintel` unreadable.
Production refuses such secrets."""

_CHAR = r"(?:[A-Za-z0-9_-]|%(?:25)*+[0-9A-Fa-f]{2})"
"""A character of base64url, plain or percent-encoded (once or more often). It can read a text in
only one way. If the `25`s could backtrack (`*` for `*+`), `%2541` would be one character or three.
Then 43 of them would be tried in 2^43 ways, and the whole process would block."""

_SPELLINGS = re.compile(
    r"(?i)((?:api[-_]?key|access_token|refresh_token|id_token|client_secret|code_verifier|password)"
    r"\\*[\"']?\s*[=:]\s*\\*[\"']?"
    r"|(?:newsintel|newsintel-leaving|newsintel_dev|newsintel_leaving_dev)=|[?&](?:code|state)="
    r"|authorization\\*[\"']?\s*[=:]\s*\\*[\"']?(?:bearer |basic )?"
    rf"|bearer |(?:n|%(?:25)*6e)(?:i|%(?:25)*69)(?:_|%(?:25)*5f)(?={_CHAR}{{43}}+))[^&\s\"'@,}}\\]+"
    r"|(://[^:/@\s\"']*:)[^@/\s\"']+(?=@)"
)
"""Common spellings of secrets, for those that are in no setting, such as an upstream's token."""

_TRIGGERS = (
    "key",
    "token",
    "secret",
    "verifier",
    "password",
    "tel=",
    "ing=",
    "dev=",
    "code=",
    "state=",
    "authorization",
    "bearer ",
    "ni_",
    "%",
    "://",
)
"""Every line that _SPELLINGS can match has one of these. Searching for them takes a twentieth of
the time of a failed match."""

_IN_PATH = re.compile(
    r"([/%](?:(?<=/)|(?:25)*2[Ff])(?=[^/?#\s\"']{0,99}[A-Z%])(?=[^/?#\s\"']{0,99}[a-z%]))"
    f"{_CHAR}{{43}}+"
    r"(?![A-Za-z0-9_-]|%(?:25)*[46])"
)
"""A bare session id that somebody pasted into a path: 43 characters of both cases, which no
headline in a URL has."""

_JSON_STRING = re.compile(r'"(?:[^"\\]|\\.)*+"(:?)')
"""A string in a line of JSON. If a colon follows, it is the name of a member."""


class Redactor:
    """Redacts lines.

    Args:
        secrets: the texts to hide. Empty ones are ignored.
        as_json: whether the lines are JSON.
    """

    def __init__(self, secrets: Iterable[str], *, as_json: bool) -> None:
        spellings = {
            spelling
            for secret in secrets
            if secret
            for spelling in _list_spellings(secret, as_json=as_json)
        }
        # The longest first, so that a secret that contains another is replaced completely.
        patterns = [
            _build_pattern(spelling)
            for spelling in sorted(spellings, key=lambda found: (-len(found), found))
        ]
        self._known = re.compile("|".join(patterns)) if patterns else None
        self._as_json = as_json

    def __call__(self, line: str) -> str:
        """Return the line without secrets."""
        if self._known is not None and self._known.search(line):
            known = self._known
            line = (
                _JSON_STRING.sub(
                    lambda found: found[0] if found[1] else known.sub(STARS, found[0]), line
                )
                if self._as_json
                else known.sub(STARS, line)
            )
        lowered = line.lower()
        if any(trigger in lowered for trigger in _TRIGGERS):
            line = _SPELLINGS.sub(_replace_secret, line)
        return _IN_PATH.sub(rf"\g<1>{STARS}", line)


def _list_spellings(secret: str, *, as_json: bool) -> Iterator[str]:
    for text in (secret, unquote(secret)):
        quoted = (repr(text), json.dumps(text), json.dumps(text, ensure_ascii=False))
        in_url = (
            quote(text, errors="replace"),
            quote(text, safe="", errors="replace"),
            quote_plus(text, errors="replace"),
        )
        for spelling in (text, *(literal[1:-1] for literal in quoted), *in_url):
            yield json.dumps(spelling)[1:-1] if as_json else spelling


def _build_pattern(spelling: str) -> str:
    """Return a pattern for a spelling; a short one only matches as a whole word.

    A line break within JSON ends in a letter, so it counts as a separator, too.
    """
    escaped = re.escape(spelling)
    return escaped if len(spelling) >= SHORT else rf"(?:(?<!\w)|(?<=\\[nrt])){escaped}(?!\w)"


def _replace_secret(found: re.Match[str]) -> str:
    before = found[1] or found[2]
    # A JSON value that is not a string (null, a number) holds no secret, and stars would break the
    # JSON.
    return found[0] if before.endswith('": ') else before + STARS
