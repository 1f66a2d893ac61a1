"""Bounds what is read of a collector's answers: the exporter needs the status alone."""

from typing import Any

import requests

MOST_BYTES = 65_536
"""Bytes of an answer's body, which has some hundred. The library reads a body to its end, and a
collector, or an attacker between it and us, could fill the memory."""

MOST_REASON_CHARS = 200
"""Characters of the words beside a status, which the log shows."""


class BoundedSession(requests.Session):
    """A session that reads no more of an answer than comes at once, within these limits."""

    def __init__(self) -> None:
        super().__init__()
        self.stream = True  # leave the body to us

    def send(self, request: requests.PreparedRequest, **more: Any) -> requests.Response:
        """Send a request. Its connection is used again if nothing of the answer is left."""
        response = super().send(request, **more)
        with response:
            response.raw.read1(MOST_BYTES)
        response.reason = (response.reason or "")[:MOST_REASON_CHARS]
        return response
