"""A dumped answer loads unchanged. Any other input raises ValueError and no other error."""

from datetime import UTC, datetime, timedelta, timezone

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsintel.domain.search.codec import FORMAT, to_json
from newsintel.domain.search.harvest import Answer, Harvest
from newsintel.domain.search.merging import merge_articles
from newsintel.domain.search.outcome import FetchOutcome, Status
from newsintel.domain.search.query_model import Dedupe
from tests.values import NOW, article, harvests, outcome, query, unhurried
from tests.whole import dump_answer, load_answer

_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


def landed(harvest):
    """The answer that a flight ends with."""
    return Answer(
        harvest,
        merge_articles(
            harvest.query, harvest.articles, Dedupe.NORMAL, harvest.fetched_at, harvest.saves
        ),
    )


@pytest.mark.slow
@unhurried
@given(harvests())
def test_an_answer_survives_dump_and_load(harvest):
    """All of it: aware datetimes, enums, mappings, None and any text."""
    answer = landed(harvest)
    loaded = load_answer(dump_answer(answer))
    assert loaded == answer
    assert all(type(it.status) is Status for it in loaded.harvest.outcomes)
    articles = {id(article) for article in loaded.harvest.articles}
    assert {
        id(member.article) for ranked in loaded.merge.ranked for member in ranked.group.members
    } == articles


def test_times_come_back_in_utc():
    """Whatever offset they were dumped with."""
    harvest = Harvest(query(), datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=1))), ())
    assert load_answer(dump_answer(landed(harvest))).harvest.fetched_at.tzinfo is UTC


@given(st.binary() | _json.map(orjson.dumps))
def test_garbage_raises_value_error(data):
    """Any bytes and any JSON."""
    with pytest.raises(ValueError, match=r"^not "):
        load_answer(data)


@unhurried
@given(_json)
def test_json_in_the_right_envelope_raises_value_error(inner):
    """The right format number alone does not make an answer."""
    with pytest.raises(ValueError, match=r"^not an answer \(\w+\)$"):
        load_answer(orjson.dumps({"format": FORMAT, "harvest": inner, "merge": []}))


@pytest.mark.parametrize("inner", ["[],", "{},", '{"a":1},'])
def test_json_that_takes_too_long_to_parse_is_refused(monkeypatch, inner):
    """A parser in C cannot be paused. It would take 300 ms for 2 MiB of lists."""
    monkeypatch.setattr("newsintel.domain.search.codec.orjson.loads", None)
    with pytest.raises(ValueError, match=r"^not an answer \(more than"):
        load_answer(b'{"format":6,"harvest":[' + inner.encode() * 20_000 + b'0],"merge":[]}')


@pytest.mark.parametrize(
    "envelope", [{}, {"format": FORMAT + 1}, {"format": None}, [FORMAT], FORMAT]
)
def test_another_format_raises_value_error(envelope):
    """Data of another version is not interpreted."""
    with pytest.raises(ValueError, match=rf"^not format {FORMAT}$"):
        load_answer(orjson.dumps(envelope))


def places(value, path=()):
    """The path of every value within a JSON value."""
    yield path
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, inner in items:
        yield from places(inner, (*path, key))


@pytest.mark.slow
@settings(unhurried, suppress_health_check=[HealthCheck.too_slow])
@given(harvests(), st.data())
def test_one_replaced_value_raises_value_error_or_is_valid(harvest, data):
    """Any value of a good dump is replaced by another.

    The result is refused, or it is a dump of an answer with that value.
    """
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
        ("engagement", {"points": 1, "comments": 1, "url": 5}),
        ("engagement", []),
    ],
)
def test_a_wrong_type_in_an_article_raises_value_error(field, value):
    """Values are not converted, and a date needs an offset."""
    envelope = orjson.loads(
        dump_answer(landed(Harvest(query(), NOW, (outcome("guardian", article()),))))
    )
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
def test_a_wrong_type_in_an_outcome_raises_value_error(field, value):
    """A string does not pass for a list, and an unknown status is refused."""
    envelope = orjson.loads(
        dump_answer(
            landed(
                Harvest(query(), NOW, (FetchOutcome("guardian", Status.OK, NOW, latency_ms=1.5),))
            )
        )
    )
    envelope["harvest"]["outcomes"][0][field] = value
    with pytest.raises(ValueError, match="not an answer"):
        load_answer(orjson.dumps(envelope))


def test_an_integer_is_read_where_a_float_is_expected():
    """A JSON writer may write 2.0 as 2."""
    envelope = orjson.loads(
        dump_answer(
            landed(
                Harvest(query(), NOW, (FetchOutcome("guardian", Status.OK, NOW, latency_ms=2.0),))
            )
        )
    )
    envelope["harvest"]["outcomes"][0]["latency_ms"] = 2
    assert load_answer(orjson.dumps(envelope)).harvest.outcomes[0].latency_ms == 2.0


GROUP = [0, [[0, None, None], [1, "url", 1.0]], [0.1, 0.2, 0.0, 0.0, 0.0, 0.0], 0.0]


@pytest.mark.parametrize(
    "merge_rows",
    [
        {},
        None,
        [],
        [GROUP, GROUP],
        [[0, [[0, None, None]], [0.0] * 6, 0.0]],
        [[0, [[0, None, None], [2, "url", 1.0]], [0.0] * 6, 0.0]],
        [[0, [[0, None, None], [-1, "url", 1.0]], [0.0] * 6, 0.0]],
        [[0, [[0, None, None], [0, "url", 1.0]], [0.0] * 6, 0.0]],
        [[0, [[0, None, None], [1, "because", 1.0]], [0.0] * 6, 0.0]],
        [[0, [[0, None, None], [1, "url", "1"]], [0.0] * 6, 0.0]],
        [[0, [[0, None, None], [1.0, "url", 1.0]], [0.0] * 6, 0.0]],
        [[0, [[0, None, None], [1, "url", 1.0]], [0.0] * 5, 0.0]],
        [[1, [[0, None, None]], [0.0] * 6, 0.0], [1, [[1, None, None]], [0.0] * 6, 0.0]],
        [[2, [[0, None, None], [1, "url", 1.0]], [0.0] * 6, 0.0]],
    ],
)
def test_a_merge_of_other_articles_raises_value_error(merge_rows):
    """Every article must be in exactly one group, and a group's leader must be a member."""
    harvest = Harvest(query(), NOW, (outcome("guardian", article("one"), article("two")),))
    envelope = orjson.loads(dump_answer(landed(harvest)))
    assert load_answer(orjson.dumps(envelope | {"merge": [GROUP]})).merge.ranked[
        0
    ].group.leader == article("one")
    with pytest.raises(ValueError, match="not an answer"):
        load_answer(orjson.dumps(envelope | {"merge": merge_rows}))


def test_bodies_are_utf8_json_without_escapes():
    """Characters beyond ASCII are written as they are."""
    assert to_json({"q": "Zürich", "n": None}) == '{"q":"Zürich","n":null}'.encode()
