"""Finds names in the environment that look like our settings but are not: usually typing errors."""

import re
from collections.abc import Collection, Mapping
from difflib import get_close_matches

from attrs import frozen

from newsintel.config.environment import PREFIX

MIN_NAME_SIMILARITY = 0.75
"""Least similarity (difflib's ratio) of a name to a setting's name: one wrong letter in four."""
MIN_PREFIX_SIMILARITY = 0.85
"""Least similarity of a name's first word to NEWSINTEL. NEWSLETTER, which other programs use, has
0.6; NEWINTEL has 0.94.
"""


@frozen
class UnknownName:
    """A name that is set but is not a setting; `suggestion` is the setting probably meant."""

    name: str
    suggestion: str | None

    def __str__(self) -> str:
        return f"{self.name} is not a setting" + (
            f"; did you mean {self.suggestion}?" if self.suggestion else ""
        )


def find_unknown_names(
    environ: Mapping[str, str], known: Collection[str]
) -> tuple[UnknownName, ...]:
    """Return the unknown names of an environment, sorted.

    Args:
        environ: the environment.
        known: every full name that newsintel reads.
    """
    return tuple(
        stray
        for name in sorted(environ)
        if name not in known and (stray := _check_name(name, known))
    )


def _check_name(name: str, known: Collection[str]) -> UnknownName | None:
    ours = name.startswith(PREFIX)
    spelt = re.sub(r"[-.]", "_", name.upper())
    first, _, rest = spelt.partition("_")
    if not ours and not get_close_matches(
        first, [PREFIX.rstrip("_")], cutoff=MIN_PREFIX_SIMILARITY
    ):
        return None
    rests = {full.removeprefix(PREFIX): full for full in known if full.startswith(PREFIX)}
    near = get_close_matches(rest, rests, n=1, cutoff=MIN_NAME_SIMILARITY)
    # A name without our prefix belongs to another program, unless a setting is similar.
    return UnknownName(name, rests[near[0]] if near else None) if ours or near else None
