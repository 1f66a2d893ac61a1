"""The list that the setting FEEDS names: addresses that may be asked, or one clear reason."""

import pytest

from newsintel.config.values import FeedsChoice
from newsintel.domain.text.body import RAW_CAP_BYTES
from newsintel.errors import FeedListError
from newsintel.outbound.feed_lists import ConfiguredFeeds, read_list


def load(*addresses):
    """Load a list of addresses; no client is needed for it."""
    return ConfiguredFeeds(FeedsChoice("addresses", addresses), None).load()


async def test_addresses_of_the_setting_are_written_in_ascii():
    """Each once."""
    found = await load("https://x.example/é", "https://x.example/%C3%A9", "https://rt.com/rss")
    assert [feed.address for feed in found] == ["https://x.example/%C3%A9", "https://rt.com/rss"]
    assert [feed.state_media for feed in found] == [False, True]


@pytest.mark.parametrize(
    ("address", "fault"),
    [
        ("https://x.example/" + "新" * 1_990, "not an address"),
        ("https://x.example:99999/", "not an address"),
        ("https://a:b@x.example/", "an address with a password"),
    ],
)
async def test_an_address_that_must_not_be_asked_is_named(address, fault):
    """The poller logs it and reads the list again."""
    with pytest.raises(FeedListError) as error:
        await load("https://x.example/", address)
    assert str(error.value) == f"{address} in the list of feeds is {fault}"


async def test_a_list_in_opml():
    """Without the addresses that must not be asked; too long a list is none."""
    outlines = "".join(f"<outline xmlUrl='https://{host}/é'/>" for host in ("x.example", "a:b@x"))
    (found,) = await read_list(f"<opml><body>{outlines}</body></opml>".encode())
    assert found.address == "https://x.example/%C3%A9"
    with pytest.raises(FeedListError):
        await read_list(bytes(RAW_CAP_BYTES + 1))
