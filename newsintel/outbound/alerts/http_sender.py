"""Sends alerts by POST: webhooks, ntfy and the Apprise API. Implements `Sender`.

The receivers' addresses are chosen by people, so each connection goes to a public address only
(unless PRIVATE_ADDRESSES allows others). Redirects are not followed: they count as a failure
(Standard Webhooks 1.0.0, "Delivery success and failure").
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from urllib.parse import urlsplit, urlunsplit

import httpx
import trio
from attrs import frozen

from newsintel import __version__
from newsintel.domain.alerts.channels import ChannelKind
from newsintel.domain.alerts.delivery_model import Attempt, ClaimedDelivery, Outcome
from newsintel.domain.alerts.messages import Summarize, build_apprise, build_ntfy, build_webhook
from newsintel.domain.alerts.signing import sign_webhook
from newsintel.domain.feeds.schedule import read_retry_after_s
from newsintel.domain.ports import WallClock
from newsintel.domain.search.outcome import Status
from newsintel.outbound.public_network import PrivateAddressError, PublicNetwork
from newsintel.outbound.transport import FORESEEN, Transport, make_refusal
from newsintel.runtime.telemetry.logs import quiet_libraries

SEND_S = 20.0
"""Time limit of one attempt, from the look-up of the host to the end of the answer. The
specification recommends 15 to 30 s."""

MAX_ANSWER_BYTES = 64 * 1024
"""Of an answer's body, which nobody reads. A longer one is a failure."""

APPRISE_NOTHING = 204
"""The Apprise API's answer for a key without a configuration: nobody was notified."""


@frozen
class HttpSender:
    """Sends by POST.

    Attributes:
        page: the address of a person's page of saved searches.
    """

    _transport: Transport
    _summarize: Summarize
    _page: str
    _user_agent: str
    _now: WallClock

    async def send(self, delivery: ClaimedDelivery) -> Attempt:
        """POST a delivery once. A webhook never leaves unsigned."""
        if delivery.kind is ChannelKind.WEBHOOK and not delivery.keys:
            return Attempt(Outcome.REFUSED, detail="its signing key cannot be decrypted")
        with trio.move_on_after(SEND_S):
            return await self._post(*self._build_request(delivery), delivery.kind)
        return Attempt(Outcome.TIMEOUT, detail=f"no answer within {SEND_S:g} s")

    def _build_request(self, delivery: ClaimedDelivery) -> tuple[str, bytes, Mapping[str, str]]:
        """Return the address, the body and the headers that only this kind has."""
        address = delivery.address
        match delivery.kind:
            case ChannelKind.NTFY:
                return _find_root(address), build_ntfy(delivery, self._page), {}
            case ChannelKind.APPRISE:
                return address, build_apprise(delivery, self._page), {}
            case _:
                body = build_webhook(delivery, self._summarize)
                return address, body, sign_webhook(delivery.keys, delivery.id, self._now(), body)

    async def _post(
        self, address: str, body: bytes, headers: Mapping[str, str], kind: ChannelKind
    ) -> Attempt:
        ours = {
            "User-Agent": self._user_agent,
            "Accept": "*/*",
            "Accept-Encoding": "identity",
            "Content-Type": "application/json",
        }
        try:
            request = httpx.Request("POST", address, headers=ours | dict(headers), content=body)
            reply = await self._transport.handle_async_request(request)
        except PrivateAddressError as error:
            return Attempt(Outcome.FORBIDDEN, detail=str(error))
        except FORESEEN as error:
            return _judge_failure(error)
        return self._judge_reply(reply, kind)

    def _judge_reply(self, reply: httpx.Response, kind: ChannelKind) -> Attempt:
        """Return what an answer means: 2xx alone is success, and 410 ends the channel."""
        status = reply.status_code
        nobody = kind is ChannelKind.APPRISE and status == APPRISE_NOTHING
        if reply.is_success and not nobody:
            return Attempt(Outcome.DELIVERED, status)
        if status == httpx.codes.GONE:
            return Attempt(Outcome.GONE, status, f"HTTP {status}")
        asked_s = read_retry_after_s(reply.headers.get("retry-after", ""), self._now())
        detail = f"HTTP {status}: no configuration has this key" if nobody else f"HTTP {status}"
        return Attempt(Outcome.REFUSED, status, detail, asked_s)


def _judge_failure(error: Exception) -> Attempt:
    refusal = make_refusal(error)
    if refusal.status is Status.TIMEOUT:
        return Attempt(Outcome.TIMEOUT, detail=refusal.detail)
    if refusal.status is Status.BAD_PAYLOAD:
        return Attempt(Outcome.REFUSED, detail=refusal.detail)
    return Attempt(Outcome.UNREACHABLE, detail=refusal.detail)


def _find_root(topic: str) -> str:
    """Return the root of a topic's server, where ntfy takes JSON. A query may hold its `auth`."""
    parts = urlsplit(topic)
    return urlunsplit((parts.scheme, parts.netloc, "/", parts.query, ""))


@asynccontextmanager
async def open_http_sender(
    summarize: Summarize, public_url: str, *, private: bool, now: WallClock
) -> AsyncIterator[HttpSender]:
    """Open the client of all receivers.

    Owns: its connections.

    Args:
        summarize: returns an article's members.
        public_url: this service's address.
        private: allow private addresses.
        now: the time of day.
    """
    quiet_libraries()
    about = f" (+{public_url})" if public_url.startswith("https://") else ""
    async with Transport(MAX_ANSWER_BYTES, network=PublicNetwork(private=private)) as transport:
        yield HttpSender(
            transport, summarize, f"{public_url}/alerts", f"newsintel/{__version__}{about}", now
        )
