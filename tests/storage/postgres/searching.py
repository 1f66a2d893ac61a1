"""People who search, for the tests of counts."""

from datetime import date, timedelta

from newsintel.config.values import Secret
from newsintel.domain.intelligence.marks import SearchMarker
from newsintel.domain.search.history import SearchRecord
from newsintel.storage.postgres.intelligence.search_marks import PostgresSearchMarks
from tests.make import search_record
from tests.storage.support import NOON

TODAY: date = NOON.date()
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
FLOOR = 3
KEY = Secret("A" * 43)


def searches(query: str, *people: str, at=NOON, **changes) -> list[SearchRecord]:
    """The same search by each of these people."""
    return [
        search_record(query=query, person=person, searched_at=at, **changes) for person in people
    ]


def people(number: int, name: str = "p") -> list[str]:
    """The given number of people."""
    return [f"{name}{each}" for each in range(number)]


class Crowd:
    """People whose searches are marked and stored in the same way as by the recorder."""

    def __init__(self, postgres) -> None:
        self.marks = PostgresSearchMarks(postgres)
        self.marking = SearchMarker([KEY])

    async def search(self, query, *who, at=NOON, **changes):
        """Make the same search as each of these people."""
        await self.marks.add(
            [self.marking.mark(one) for one in searches(query, *who, at=at, **changes)]
        )

    async def forget(self, person):
        """Remove a person from the counts."""
        await self.marks.forget_person(self.marking.make_marks_finder(person))
