"""What happened in a chaos run, and whether it was allowed."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import Any

from attrs import define, field, frozen

LATE_S = 0.3
"""How much later than its deadline an answer may be."""
OTHERS_DEADLINE_S = 4.0
"""Deadline of an answer from the stores: COMMAND_S of one unit of work, tried twice."""
AFTER_S = 15.0
"""How long after a fault its consequences are allowed: a restart, a breaker that is still open
(8 s), the next attempt to save (`attempts.PROBE_S`), and the saving of what was spooled meanwhile.
"""
EXAMPLES = 10


class Part(Enum):
    """What a fault is of, and what an answer needs."""

    POSTGRES = "postgresql"
    REDIS = "redis"
    SOURCE = "one source"
    SOURCES = "all sources"


@frozen
class Route:
    """A kind of request.

    Attributes:
        name: in the tables.
        needs: faults of these allow a 502, 503 or 504.
        deadline_s: of its answer.
    """

    name: str
    needs: frozenset[Part]
    deadline_s: float = OTHERS_DEADLINE_S


@frozen
class Violation:
    """Something that must not happen.

    Attributes:
        kind: wrong user, late, status, lost, counted (by the service), not back or no answer.
        text: when and what.
    """

    kind: str
    text: str


@define
class History:
    """Everything that clients saw.

    Attributes:
        answered: the ids of all articles in answers to searches, and when each was first there.
        saved: by person, the ids that the service said it had saved.
        statuses: how often each route gave each status.
        longest_s: the longest time of each route.
    """

    answered: dict[str, float] = field(factory=dict)
    saved: dict[str, set[str]] = field(factory=dict)
    statuses: Counter[tuple[str, int]] = field(factory=Counter)
    longest_s: dict[str, float] = field(factory=dict)
    violations: list[Violation] = field(factory=list)
    faults: list[tuple[float, str]] = field(factory=list)
    _active: Counter[Part] = field(factory=Counter)
    _ended: dict[Part, float] = field(factory=dict)

    def begin_fault(self, name: str, part: Part, at: float) -> None:
        """Note that a fault begins; from now on its consequences are allowed."""
        self.faults.append((at, name))
        self._active[part] += 1

    def end_fault(self, part: Part, at: float) -> None:
        """Note that a fault has ended; its consequences are allowed for AFTER_S more."""
        self._active[part] -= 1
        self._ended[part] = at

    def note_answer(
        self,
        route: Route,
        status: int,
        headers: Mapping[str, str],
        began: float,
        ended: float,
        *,
        cause: str = "",
    ) -> None:
        """Note an answer, and check its status and time. `cause`: the body of an error."""
        self.statuses[route.name, status] += 1
        took_s = ended - began
        self.longest_s[route.name] = max(took_s, self.longest_s.get(route.name, 0.0))
        what = f"{began:.1f} s: {route.name} {status} after {took_s:.2f} s {cause}".rstrip()
        if took_s > route.deadline_s + LATE_S:
            self.note_violation("late", what)
        if status < 500:
            return
        excused = any(self._is_excused(part, began) for part in route.needs)
        if status not in {502, 503, 504} or not excused:
            self.note_violation("status", what)
        elif status == 503 and "retry-after" not in headers:
            self.note_violation("status", f"{what}, without Retry-After")

    def note_articles(self, ids: Iterable[str], at: float) -> None:
        """Note the articles of an answer."""
        for one in ids:
            self.answered.setdefault(one, at)

    def note_violation(self, kind: str, text: str) -> None:
        """Note something that must not happen."""
        self.violations.append(Violation(kind, text))

    def _is_excused(self, part: Part, began: float) -> bool:
        return self._active[part] > 0 or began - self._ended.get(part, -AFTER_S) < AFTER_S

    def format_verdict(self, meters: Sequence[Sequence[str]]) -> str:
        """Return the verdict: figures, and the first violations of each kind."""
        lines = [f"{len(self.faults)} faults, {sum(self.statuses.values())} answers:"]
        for name in sorted(self.longest_s):
            statuses = ", ".join(
                f"{status}: {number}"
                for (route, status), number in sorted(self.statuses.items())
                if route == name
            )
            lines.append(f"  {name}: {statuses}; the longest took {self.longest_s[name]:.2f} s")
        lines.append(
            f"{len(self.answered)} articles answered, {sum(map(len, self.saved.values()))} saved"
        )
        lines += [f"  {' '.join(row)}" for row in meters]
        kinds = Counter(violation.kind for violation in self.violations)
        for kind, number in kinds.items():
            lines.append(f"VIOLATED, {kind}: {number}")
            found = [one.text for one in self.violations if one.kind == kind]
            lines += [f"  {text}" for text in found[:EXAMPLES]]
        if kinds:
            lines += ["The faults:", *(f"  {at:.1f} s: {name}" for at, name in self.faults)]
        lines.append("FAILED" if kinds else "PASSED: nothing was violated")
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """Return the figures as JSON values."""
        return {
            "faults": [f"{at:.1f} s: {name}" for at, name in self.faults],
            "statuses": {f"{name} {status}": n for (name, status), n in self.statuses.items()},
            "longest_s": self.longest_s,
            "articles": len(self.answered),
            "saved": sum(map(len, self.saved.values())),
            "violations": [f"{one.kind}: {one.text}" for one in self.violations],
        }
