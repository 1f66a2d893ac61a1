"""What a feed says about itself."""

from attrs import frozen


@frozen
class Channel:
    """A feed without its articles.

    Attributes:
        title: e.g. the search.
        home_url: the service's page for people.
        self_url: the address of the feed itself.
        next_url: the address of its next page; None = this is the last one.
        updated: when it was made, RFC 3339; None = unknown.
    """

    title: str
    home_url: str
    self_url: str
    next_url: str | None = None
    updated: str | None = None
