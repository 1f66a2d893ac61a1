"""What is searched for more than usual.

A rise above the usual raises the score; a usual number does not. Each entry has a reason in words.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsintel.domain.intelligence.search_counts import ObservedQuery, Trend, TrendWindow
from newsintel.domain.intelligence.trending import explain_trend, rank_trends, score_burst
from newsintel.http.bodies.intelligence import build_trending_body

people = st.integers(0, 10**6)
usual = st.floats(0, 10**6)


@given(people, people, usual)
def test_more_people_never_score_less(few, many, expected):
    """For the same usual number."""
    few, many = sorted((few, many))
    assert score_burst(few, expected) <= score_burst(many, expected)


@given(people, usual, usual)
def test_a_higher_usual_number_never_raises_the_score(count, little, much):
    """For the same number of people."""
    little, much = sorted((little, much))
    assert score_burst(count, much) <= score_burst(count, little) + 1e-9


@given(st.integers(1, 10**6))
def test_the_usual_number_scores_zero(number):
    """Whatever that number is."""
    assert score_burst(number, float(number)) == 0


@given(st.integers(3, 1000), st.integers(1, 10**6))
def test_a_new_query_ranks_above_a_favourite_at_its_usual_level(number, crowd):
    """Three people are enough if the query is new."""
    first, _ = rank_trends(
        [ObservedQuery("weather", crowd, float(crowd)), ObservedQuery("earthquake", number, 0.0)],
        10,
    )
    assert first.query == "earthquake"


@given(
    st.lists(
        st.builds(ObservedQuery, st.text(min_size=1), people, usual),
        unique_by=lambda one: one.query,
    ),
    st.integers(0, 10),
)
def test_the_order_does_not_depend_on_the_order_of_the_input(observed, limit):
    """Best first, cut at the limit. Nothing within the limit is lost."""
    found = rank_trends(observed, limit)
    assert found == rank_trends(observed[::-1], limit)
    assert len(found) == min(limit, len(observed))
    assert [trend.score for trend in found] == sorted(
        (trend.score for trend in found), reverse=True
    )


@pytest.mark.parametrize(
    ("count", "expected", "reason"),
    [
        (23, 3.8, "23 people, 6 times the usual"),
        (3, 2.0, "3 people, 1.5 times the usual"),
        (1200, 1150.0, "1,200 people, about as usual"),
        (9, 10.0, "9 people, about as usual"),
        (5, 10.0, "5 people, fewer than usual"),
        (4, None, "4 people, too early to tell how many are usual"),
        (4, 0.0, "4 people, where hardly anybody searched for it before"),
        (1, 0.2, "1 person, where hardly anybody searched for it before"),
    ],
)
def test_reasons_match_the_numbers(count, expected, reason):
    """Each range of numbers has its own words."""
    assert explain_trend(Trend("q", count, expected, score_burst(count, expected or 0.0))) == reason


def test_the_body_has_rounded_numbers_and_reasons():
    """Each entry has its reason."""
    assert build_trending_body(TrendWindow.DAY, [Trend("flood", 23, 3.8123, 8.7456)]) == {
        "window": "24h",
        "searches": [
            {
                "query": "flood",
                "score": 8.746,
                "people": 23,
                "usual": 3.81,
                "reasons": ["23 people, 6 times the usual"],
            }
        ],
    }


def test_without_a_usual_number_the_most_people_come_first():
    """The body then has null as the usual number."""
    found = rank_trends([ObservedQuery("tide", 3, None), ObservedQuery("flood", 5, None)], 10)
    assert [trend.query for trend in found] == ["flood", "tide"]
    assert build_trending_body(TrendWindow.WEEK, found)["searches"][0]["usual"] is None


def test_windows_are_an_hour_a_day_and_a_week():
    """In seconds."""
    assert [span.length.total_seconds() for span in TrendWindow] == [3600, 86_400, 7 * 86_400]
