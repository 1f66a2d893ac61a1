"""Names in the environment that look like settings of ours and are none: typing errors, as a rule."""

import re
from collections.abc import Collection, Mapping
from difflib import get_close_matches

from attrs import frozen

from newsintel.config.environment import PREFIX

NEAR = 0.75
"""How alike a name must be to a setting's to be taken for it, by difflib's ratio: one wrong letter in four."""
NEAR_PREFIX = 0.85
"""How alike a first word must be to ours. NEWSLETTER, which other programs have, is 0.6; NEWINTEL 0.94."""


@frozen
class Stray:
    """A name that is set and means nothing here; `meant` is the setting that was probably meant."""

    name: str
    meant: str | None

    def __str__(self) -> str:
        return f"{self.name} is not a setting" + (f"; did you mean {self.meant}?" if self.meant else "")


def find_strays(environ: Mapping[str, str], known: Collection[str]) -> tuple[Stray, ...]:
    """The strays of an environment, by name.

    Args:
        environ: names that are set.
        known: every name that is read, in full.
    """
    return tuple(stray for name in sorted(environ) if name not in known and (stray := _stray(name, known)))


def _stray(name: str, known: Collection[str]) -> Stray | None:
    ours = name.startswith(PREFIX)
    spelt = re.sub(r"[-.]", "_", name.upper())
    first, _, rest = spelt.partition("_")
    if not ours and not get_close_matches(first, [PREFIX.rstrip("_")], cutoff=NEAR_PREFIX):
        return None
    rests = {full.removeprefix(PREFIX): full for full in known if full.startswith(PREFIX)}
    near = get_close_matches(rest, rests, n=1, cutoff=NEAR)
    # A name without our prefix is another program's, unless it is plain what was meant.
    return Stray(name, rests[near[0]] if near else None) if ours or near else None
