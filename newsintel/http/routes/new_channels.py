"""The channels that a saved search shall have: checked, and with secrets for those that are new."""

from collections.abc import Collection, Sequence
from typing import Any

from attrs import frozen

from newsintel.domain.alerts.channels import ChannelKind, find_address_fault
from newsintel.domain.alerts.model import NewChannel, SavedSearch
from newsintel.domain.alerts.signing import create_secret
from newsintel.domain.security.keys import create_feed_token, digest_secret
from newsintel.errors import InvalidBodyError
from newsintel.http.bodies.alerts import build_saved_search
from newsintel.http.paths import FEEDS
from newsintel.http.request.access import get_current_account
from newsintel.http.request.alert_members import WantedChannel
from newsintel.http.services import Services

Address = tuple[ChannelKind, str]
"""A channel's kind and address, which identify it within its search."""


@frozen
class NewSecrets:
    """The secrets of channels that are to be made, by kind and address."""

    channels: tuple[NewChannel, ...]
    shown: dict[Address, dict[str, str]]

    def leave_out(self, known: Collection[Address]) -> "NewSecrets":
        """Return the same channels, without secrets for those that the search has already."""
        return NewSecrets(
            tuple(
                NewChannel(one.kind, one.address) if get_address(one) in known else one
                for one in self.channels
            ),
            {address: one for address, one in self.shown.items() if address not in known},
        )


def make_channels(services: Services, wanted: Sequence[WantedChannel]) -> NewSecrets:
    """Return the channels to store, with secrets."""
    channels: dict[Address, NewChannel] = {}
    shown: dict[Address, dict[str, str]] = {}
    for one in wanted:
        address = (one.kind, one.to)
        _check_channel(services, one)
        if address in channels:
            raise InvalidBodyError("deliver", "repeated", "deliver names a channel twice")
        channels[address] = NewChannel(one.kind, one.to)
        if one.kind is ChannelKind.WEBHOOK:
            secret = create_secret()
            channels[address] = NewChannel(one.kind, one.to, secret=secret)
            shown[address] = {"secret": secret}
        elif one.kind is ChannelKind.FEED:
            token = create_feed_token()
            channels[address] = NewChannel(one.kind, one.to, feed_digest=digest_secret(token))
            shown[address] = {"url": f"{services.settings.public_url}{FEEDS}{token}"}
    return NewSecrets(tuple(channels.values()), shown)


def _check_channel(services: Services, wanted: WantedChannel) -> None:
    fault = find_address_fault(wanted.kind, wanted.to)
    if fault is not None:
        raise InvalidBodyError("deliver", "invalid", f"deliver: to of {wanted.kind} {fault}")
    if wanted.kind is ChannelKind.EMAIL and services.settings.smtp_url is None:
        raise InvalidBodyError(
            "deliver", "unavailable", "deliver: this service has no mail server; choose another"
        )


async def confirm_channels(services: Services, search: SavedSearch, secrets: NewSecrets) -> None:
    """Ask the owners of new e-mail addresses whether they want the alerts."""
    if any(channel.kind is ChannelKind.EMAIL for channel in secrets.channels):
        await services.alerts.deliveries.create_tests(
            get_current_account().id, search.public_id, services.now(), unconfirmed=True
        )


def show_secrets(search: SavedSearch, secrets: NewSecrets) -> dict[str, Any]:
    """Return a search with the secrets of its new channels; `secret` is that of the first."""
    body = build_saved_search(search)
    for row, channel in zip(body["deliver"], search.channels, strict=True):
        row.update(secrets.shown.get(get_address(channel), {}))
    made = [row["secret"] for row in body["deliver"] if "secret" in row]
    return body | ({"secret": made[0]} if made else {})


def get_address(channel: Any) -> Address:
    """Return what identifies a Channel or NewChannel within its search."""
    return channel.kind, channel.address
