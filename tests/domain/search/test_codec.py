"""What is dumped is loaded as it was; anything else is a ValueError and nothing more."""

from datetime import UTC, datetime, timedelta, timezone

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsintel.domain.search.codec import FORMAT, to_json
from newsintel.domain.search.harvest import Answer, Harvest
from newsintel.domain.search.merging import merge
from newsintel.domain.search.outcome import FetchOutcome, Status
from newsintel.domain.search.query_model import Dedupe
from tests.values import NOW, article, harvests, outcome, query, unhurried
from tests.whole import dump_answer, load_answer

_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def landed(harvest):
    """The answer that a flight lands with."""
    return Answer(harvest, merge(harvest.query, harvest.articles, Dedupe.NORMAL, harvest.fetched_at, harvest.saves))


@unhurried
@given(harvests())
def test_an_answer_comes_back_as_it_was(harvest):
    """All of it: dates aware, enums, mappings, None and any text."""
    answer = landed(harvest)
    loaded = load_answer(dump_answer(answer))
    assert loaded == answer
    assert all(type(it.status) is Status for it in loaded.harvest.outcomes)
    articles = {id(article) for article in loaded.harvest.articles}
    assert {id(member.article) for ranked in loaded.merge.ranked for member in ranked.group.members} == articles


def test_times_come_back_in_utc():
    """Whatever offset they were dumped with."""
    harvest = Harvest(query(), datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=1))), ())
    assert load_answer(dump_answer(landed(harvest))).harvest.fetched_at.tzinfo is UTC


@given(st.binary() | _json.map(orjson.dumps))
def test_garbage_is_a_value_error(data):
    """Bytes of any kind, JSON of any kind."""
    with pytest.raises(ValueError, match=r"^not "):
        load_answer(data)


@unhurried
@given(_json)
def test_json_in_the_right_envelope_is_a_value_error(inner):
    """Our format number does not make it ours."""
    with pytest.raises(ValueError, match=r"^not an answer \(\w+\)$"):
        load_answer(orjson.dumps({"format": FORMAT, "harvest": inner, "merge": []}))


@pytest.mark.parametrize("inner", ["[],", "{},", '{"a":1},'])
def test_json_made_to_take_long_is_not_parsed(monkeypatch, inner):
    """A parser in C cannot be paused: 2 MiB of nothing but lists would take it 300 ms."""
    monkeypatch.setattr("newsintel.domain.search.codec.orjson.loads", None)
    with pytest.raises(ValueError, match=r"^not an answer \(more than"):
        load_answer(b'{"format":5,"harvest":[' + inner.encode() * 20_000 + b'0],"merge":[]}')


@pytest.mark.parametrize("envelope", [{}, {"format": FORMAT + 1}, {"format": None}, [FORMAT], FORMAT])
def test_another_format_is_a_value_error(envelope):
    """What another version wrote is not guessed at."""
    with pytest.raises(ValueError, match=rf"^not format {FORMAT}$"):
        load_answer(orjson.dumps(envelope))


def places(value, path=()):
    """The path of every value within a JSON value."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from places(inner, (*path, key))


@settings(unhurried, suppress_health_check=[HealthCheck.too_slow])
@given(harvests(), st.data())
def test_one_wrong_value_is_a_value_error_or_the_same_as_written(harvest, data):
    """Any value of a good dump replaced by any other: it is refused, or it is a value that a dump could have held."""
    envelope = orjson.loads(dump_answer(landed(harvest)))
    *path, last = data.draw(st.sampled_from([it for it in places(envelope) if it]))
    at = envelope
    for key in path:
        at = at[key]
    at[last] = data.draw(_json)
    try:
        loaded = load_answer(orjson.dumps(envelope))
    except ValueError:
        return
    assert load_answer(dump_answer(loaded)) == loaded
    again = orjson.loads(dump_answer(loaded))
    for key in path:
        again = again[key]
    assert again[last] == at[last]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", 5),
        ("title", None),
        ("published_at", "2026-01-01T00:00:00"),
        ("published_at", "0001-01-01T00:00:00+05:00"),
        ("published_at", 5),
        ("published_at_estimated", 1),
        ("description", 5),
        ("engagement", {"points": 1.0, "comments": 1}),
        ("engagement", []),
    ],
)
def test_a_wrong_type_in_an_article_is_a_value_error(field, value):
    """Nothing is converted, no date is without its offset."""
    envelope = orjson.loads(dump_answer(landed(Harvest(query(), NOW, (outcome("guardian", article()),)))))
    envelope["harvest"]["outcomes"][0]["articles"][0][field] = value
    with pytest.raises(ValueError, match="not an answer"):
        load_answer(orjson.dumps(envelope))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("articles", {}),
        ("ignored", "language"),
        ("status", "fine"),
        ("latency_ms", "1"),
        ("latency_ms", True),
        ("http_status", "200"),
        ("dropped", {"x": "1"}),
        ("dropped", []),
    ],
)
def test_a_wrong_type_in_an_outcome_is_a_value_error(field, value):
    """A text is no list of letters, an unknown status is not a status."""
    envelope = orjson.loads(dump_answer(landed(Harvest(query(), NOW, (FetchOutcome("guardian", Status.OK, NOW, latency_ms=1.5),)))))
    envelope["harvest"]["outcomes"][0][field] = value
    with pytest.raises(ValueError, match="not an answer"):
        load_answer(orjson.dumps(envelope))


def test_a_whole_number_is_a_number():
    """JSON writers may drop the point of 2.0."""
    envelope = orjson.loads(dump_answer(landed(Harvest(query(), NOW, (FetchOutcome("guardian", Status.OK, NOW, latency_ms=2.0),)))))
    envelope["harvest"]["outcomes"][0]["latency_ms"] = 2
    assert load_answer(orjson.dumps(envelope)).harvest.outcomes[0].latency_ms == 2.0


GROUP = [0, [[0, None, None], [1, "url", 1.0]], [0.1, 0.2, 0.0, 0.0, 0.0], 0.0]


@pytest.mark.parametrize(
    "merge_rows",
    [
        {},
        None,
        [],
        [GROUP, GROUP],
        [[0, [[0, None, None]], [0.0] * 5, 0.0]],
        [[0, [[0, None, None], [2, "url", 1.0]], [0.0] * 5, 0.0]],
        [[0, [[0, None, None], [-1, "url", 1.0]], [0.0] * 5, 0.0]],
        [[0, [[0, None, None], [0, "url", 1.0]], [0.0] * 5, 0.0]],
        [[0, [[0, None, None], [1, "because", 1.0]], [0.0] * 5, 0.0]],
        [[0, [[0, None, None], [1, "url", "1"]], [0.0] * 5, 0.0]],
        [[0, [[0, None, None], [1.0, "url", 1.0]], [0.0] * 5, 0.0]],
        [[0, [[0, None, None], [1, "url", 1.0]], [0.0] * 4, 0.0]],
        [[1, [[0, None, None]], [0.0] * 5, 0.0], [1, [[1, None, None]], [0.0] * 5, 0.0]],
        [[2, [[0, None, None], [1, "url", 1.0]], [0.0] * 5, 0.0]],
    ],
)
def test_a_merge_that_is_not_of_these_articles_is_a_value_error(merge_rows):
    """Every article stands in one group once, led by one of its own; nothing is guessed."""
    harvest = Harvest(query(), NOW, (outcome("guardian", article("one"), article("two")),))
    envelope = orjson.loads(dump_answer(landed(harvest)))
    assert load_answer(orjson.dumps(envelope | {"merge": [GROUP]})).merge.ranked[0].group.leader == article("one")
    with pytest.raises(ValueError, match="not an answer"):
        load_answer(orjson.dumps(envelope | {"merge": merge_rows}))


def test_bodies_are_utf8_json():
    """Text is not escaped."""
    assert to_json({"q": "Zürich", "n": None}) == '{"q":"Zürich","n":null}'.encode()
