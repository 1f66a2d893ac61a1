# ruff: noqa: S608 - our own constants
"""`kill -9` in mid-delivery, under load: no alert is lost, and a repeat has the same id."""

import signal
import subprocess
import sys
from collections import defaultdict

import pytest
from standardwebhooks import Webhook

from newsintel.domain.alerts.signing import SigningKey, create_secret
from newsintel.domain.security.sealing import Sealer
from newsintel.storage.postgres.alerts.channel_keys import seal_keys
from tests.outbound.alerts.receivers import Receiver, receiving
from tests.service import ROOT
from tests.storage.postgres.alerts.saved import Alerts
from tests.storage.postgres.alerts.sending import KEYS
from tests.storage.support import article
from tests.waiting import until

CHANNELS, EACH = 20, 5
ROUNDS = 4

ENDED_CLAIMS = """
UPDATE alert_deliveries SET claimed_until = now() - interval '1 s' WHERE claimed_until > now()
"""
"""As if the two minutes of each claim had passed."""


def start(url: str) -> subprocess.Popen:
    """Start a process that delivers."""
    command = [sys.executable, "-m", "tests.storage.postgres.alerts.sending", url]
    return subprocess.Popen(command, cwd=ROOT)


async def fill(alerts: Alerts, execute, user_id: int, receiver: Receiver) -> dict[str, str]:
    """Put CHANNELS x EACH deliveries into the outbox; return the secret of each delivery."""
    articles = [article(str(number)) for number in range(EACH)]
    secrets = {}
    for number in range(CHANNELS):
        search = await alerts.save_search(user_id, f"S{number}", webhook=f"{receiver.url}/{number}")
        (channel,) = await alerts.list_channels(search)
        secret = create_secret()
        sealed = seal_keys(Sealer(KEYS), channel, [SigningKey(secret)])
        await execute(
            f"UPDATE alert_channels SET sealed_keys = '\\x{sealed.hex()}' WHERE id = {channel}"
        )
        await alerts.match(search, *articles)
        for at, one in enumerate(articles):
            await alerts.put_out(channel, f"d_{number}x{at}", one)
            secrets[f"d_{number}x{at}"] = secret
    return secrets


@pytest.mark.slow
async def test_kill_9_in_mid_delivery_loses_nothing(execute, fetch, archive, people, database_url):
    """Two processes send; both are killed again and again, while requests are on their way."""
    alerts = Alerts(execute, fetch, archive)
    with receiving(204) as receiver:
        receiver.delay_s = 0.05
        secrets = await fill(alerts, execute, people[0], receiver)
        for round_ in range(1, ROUNDS + 1):
            senders = [start(database_url), start(database_url)]
            wanted = min(round_ * len(secrets) // (ROUNDS + 1), len(secrets))

            async def some_arrived(wanted=wanted):
                return len({one.headers["webhook-id"] for one in receiver.requests}) >= wanted

            await until(some_arrived)
            for sender in senders:
                sender.send_signal(signal.SIGKILL)
                sender.wait()
            await execute(ENDED_CLAIMS)
        last = start(database_url)

        async def all_delivered():
            left = "SELECT count(*) FROM alert_deliveries WHERE state <> 'delivered'"
            return await fetch(left) == [(0,)]

        await until(all_delivered, pause_s=0.2)
        last.kill()
        last.wait()
        bodies = defaultdict(set)
        for request in receiver.requests:
            name = request.headers["webhook-id"]
            Webhook(secrets[name]).verify(request.body, request.headers)
            bodies[name].add(request.body)
    assert set(bodies) == set(secrets)
    assert all(len(sent) == 1 for sent in bodies.values())  # a repeat is the same message
    assert len(receiver.requests) >= len(secrets)
