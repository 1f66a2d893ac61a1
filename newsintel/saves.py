"""How many people saved each article, as this process last learnt it: written by the save counter, read by every merge."""

from collections.abc import Iterable, Mapping


class Saves:
    """Numbers of people by public id. Articles that too few saved for anybody to be told apart are not in it."""

    def __init__(self) -> None:
        self._counts: Mapping[str, int] = {}

    def replace(self, counts: Mapping[str, int]) -> None:
        """Know these from now on."""
        self._counts = counts

    def of(self, article_ids: Iterable[str]) -> dict[str, int]:
        """The numbers of those articles that have one."""
        return {one: self._counts[one] for one in article_ids if one in self._counts}
