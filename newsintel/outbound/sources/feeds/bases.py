"""Resolves relative addresses of a document (RFC 3986, section 5; XML Base), within limits.

One long base would make each address in a document long. So what is longer than MAX_ADDRESS is
dropped, before it is resolved and after.
"""

from urllib.parse import urljoin

from attrs import define, field

from newsintel.domain.text.request_urls import MAX_ADDRESS
from newsintel.domain.text.safe_urls import LONG_HOST

MOST_NESTED = 10
"""Bases one in another; one further in does not count. Recorded feeds have two."""


@define(eq=False)
class Base:
    """The address against which relative ones in an element are resolved.

    It is resolved when it is first needed; most are never. Neighbours that name the same share one.

    Attributes:
        written: as the document has it; the outermost is absolute.
        outer: that of the element around; None for the document's own.
        level: the number of bases around.
    """

    _written: str
    _outer: "Base | None" = None
    _level: int = 0
    _address: str | None = field(init=False, default=None)
    _latest: "Base | None" = field(init=False, default=None)

    def enter(self, written: str) -> "Base":
        """Return the base in an element that names one."""
        if not written or len(written) > MAX_ADDRESS or self._level == MOST_NESTED:
            return self
        if self._latest is None or self._latest._written != written:  # noqa: SLF001 - its own class
            self._latest = Base(written, self, self._level + 1)
        return self._latest

    def read(self) -> str:
        """Return it as an absolute address; that of the element around if it cannot be resolved."""
        if self._outer is None:
            return self._written
        if self._address is None:
            outer = self._outer.read()
            self._address = resolve(outer, self._written) or outer
        return self._address

    def resolve(self, address: str) -> str:
        """Return an address resolved against it, as `resolve` does."""
        return resolve(self.read(), address)


def resolve(base: str, address: str) -> str:
    """Return an address resolved against a base; empty if it cannot be or is too long."""
    address = address.strip()
    if len(address) > MAX_ADDRESS or LONG_HOST.match(address):
        return ""
    try:
        found = urljoin(base, address)
    except ValueError:
        return ""
    return found if len(found) <= MAX_ADDRESS else ""
