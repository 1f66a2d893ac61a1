"""Addresses on pages: relative to the page, so that they also work behind a path prefix."""

from urllib.parse import parse_qsl, urlencode

from attrs import frozen

TRANSIENT = ("cursor", "page", "stream")
"""Parameters that a link to other results never keeps."""


@frozen
class PageLinks:
    """The links of one page.

    Attributes:
        path: of the page.
        given: its parameters; those without a value are left out.
    """

    path: str
    given: dict[str, str]

    @classmethod
    def of(cls, path: str, query_string: bytes) -> "PageLinks":
        """Return the links of the page that a request names."""
        return cls(path, dict(parse_qsl(query_string.decode("ascii", "replace"))))

    @property
    def root(self) -> str:
        """The relative address of the service's root, e.g. `../` on `/story/a_1`."""
        return "../" * (self.path.count("/") - 1) or "./"

    @property
    def here(self) -> str:
        """The page itself, as a path from the root, for a form that leads back to it."""
        return self.path + (f"?{urlencode(self.given)}" if self.given else "")

    def change(self, **changes: str | None) -> str:
        """Return this page with other parameters; None removes one."""
        kept = {name: value for name, value in self.given.items() if name not in TRANSIENT}
        wanted = {name: value for name, value in (kept | changes).items() if value}
        return "?" + urlencode(wanted, safe=":")

    def same(self, path: str, *names: str, **parameters: str | None) -> str:
        """Return another page, with those parameters of this one that have these names.

        What a page does not take it refuses, so each link names what its page takes.
        """
        kept = {name: self.given[name] for name in names if name in self.given}
        return self.to(path, **(kept | parameters))

    @property
    def archive(self) -> str:
        """The same search in the archive."""
        return self.same("search", "q", "sources", "publisher", "from", "to", "language")

    @property
    def sources(self) -> str:
        """The same search of the sources."""
        return self.same("", "q", "from", "to", "language")

    @property
    def alert(self) -> str:
        """The form of alerts, filled in with this search."""
        return self.same("alerts", "q", "sources", "publisher", "language")

    def to(self, path: str, **parameters: str | None) -> str:
        """Return another page of the service, e.g. `to("story/a_1")`."""
        wanted = {name: value for name, value in parameters.items() if value}
        return self.root + path + (f"?{urlencode(wanted)}" if wanted else "")
