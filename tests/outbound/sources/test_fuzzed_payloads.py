"""Damaged payloads of each source: a page or a refusal, and work in proportion to their size.

The corpus is our own rows, and the recorded bodies where they are beside the checkout.
"""

import json
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsintel.domain.search.article import MAX_CONTENT, MAX_DESCRIPTION, MAX_NAME, MAX_TITLE
from newsintel.domain.search.outcome import Refusal, SourcePage
from newsintel.outbound.sources import REGISTRY
from tests.fuzzing import count_calls, mutate_bytes, mutate_json, shorten
from tests.outbound.sources import (
    test_gdelt,
    test_guardian,
    test_hackernews,
    test_newsapi,
    test_reddit,
)
from tests.outbound.sources.replies import NOW, QUERY, recorded_bodies, reply

OWN = {
    "newsapi": {"status": "ok", "totalResults": 9, "articles": [test_newsapi.row()] * 2},
    "guardian": {"response": {"status": "ok", "total": 9, "results": [test_guardian.row()] * 2}},
    "reddit": {"kind": "Listing", "data": {"after": None, "children": [test_reddit.post()] * 2}},
    "hackernews": {"hits": [test_hackernews.hit()] * 2, "nbHits": 9},
    "gdelt": {"articles": [test_gdelt.row()] * 2},
}
"""Of every source that is asked for JSON; feeds have test_hostile_feeds.py."""

CORPUS = {
    name: [own, *(shorten(body) for _, body in recorded_bodies(name))] for name, own in OWN.items()
}
STATUSES = st.sampled_from([200] * 8 + [204, 301, 400, 401, 403, 404, 426, 429, 500, 503])
HEADERS = st.dictionaries(
    st.sampled_from(["retry_after", "x_ratelimit_remaining", "x_ratelimit_reset", "content_type"]),
    st.sampled_from(["", "0", "-1", "60", "1e999", "nan", "x", "text/html", "٣", "9" * 60]),
)
CALLS, CALLS_PER_BYTE = 10_000, 5
"""The work that a payload may cost. The densest recorded body needs 1.3 calls a byte."""


def check(name, body, status, headers):
    """Read a payload; check what it became, and how much work that was."""
    response = reply(body, status, **headers)
    found, calls = count_calls(lambda: REGISTRY[name].read(response, QUERY, NOW))
    assert calls <= CALLS + CALLS_PER_BYTE * len(body)
    assert isinstance(found, SourcePage | Refusal)
    for article in getattr(found, "articles", ()):
        assert article.url.startswith(("http://", "https://"))
        assert 0 < len(article.title) <= MAX_TITLE
        assert len(article.description or "") <= MAX_DESCRIPTION
        assert len(article.content or "") <= MAX_CONTENT
        assert len(article.publisher) <= MAX_NAME
        assert article.published_at <= NOW + timedelta(hours=24)
        assert article.published_at.utcoffset() == timedelta(0)
        assert "\x00" not in "".join(filter(None, (article.title, article.description)))
    # A row that broke its reader is left out; that nothing else happens is not enough.
    assert getattr(found, "bug", None) is None


@pytest.mark.parametrize("name", OWN)
@settings(max_examples=150)
@given(data=st.data())
def test_odd_values_in_a_payload(name, data):
    """Values of other types, texts that are huge or from other scripts, missing members."""
    body = json.dumps(mutate_json(data.draw, CORPUS[name])).encode("utf-8", "surrogatepass")
    check(name, body, data.draw(STATUSES), data.draw(HEADERS))


@pytest.mark.parametrize("name", OWN)
@settings(max_examples=100)
@given(data=st.data())
def test_odd_bytes_in_a_payload(name, data):
    """Bytes that are cut, doubled and replaced anywhere."""
    texts = [json.dumps(body).encode() for body in CORPUS[name]]
    check(name, mutate_bytes(data.draw, texts), data.draw(STATUSES), data.draw(HEADERS))


@pytest.mark.slow
@pytest.mark.parametrize("name", OWN)
@settings(max_examples=10_000)
@given(data=st.data())
def test_odd_payloads_for_long(name, data):
    """Both kinds, many times."""
    if data.draw(st.booleans()):
        body = json.dumps(mutate_json(data.draw, CORPUS[name])).encode("utf-8", "surrogatepass")
    else:
        body = mutate_bytes(data.draw, [json.dumps(one).encode() for one in CORPUS[name]])
    check(name, body, data.draw(STATUSES), data.draw(HEADERS))
