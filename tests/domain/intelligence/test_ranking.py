"""Which articles fit a person, with which score and reason."""

from datetime import timedelta

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from newsintel.domain.bounds.slices import run_all
from newsintel.domain.intelligence.interest_model import (
    Deed,
    DeedKind,
    Evidence,
    Interest,
    PopularArticle,
    Profile,
    ProfileMatch,
    UnseenArticle,
)
from newsintel.domain.intelligence.ranking import (
    Fit,
    explain_pick,
    is_allowed,
    is_outside_profile,
    mark_exploration,
    rank_fits,
    score_personal,
    score_popular,
    score_recency,
)
from newsintel.domain.personal.preferences import Preferences
from newsintel.domain.search import matching
from newsintel.domain.search.article import Engagement
from newsintel.domain.search.matching import PreparedTopics
from newsintel.domain.text import tokens
from tests.steps import ALLOWED, LONGEST_MS, longest_slice
from tests.values import NOW, article

NOBODYS = Preferences()


def evidence(kind, label, **terms):
    """A deed with its terms."""
    return Evidence(Deed(kind, label, label, NOW), terms)


SKY = Interest(
    1.0,
    {"comet": 0.4, "norway": 0.25, "sky": 0.2, "dust": 0.15},
    (
        evidence(DeedKind.SAVED, "Comet over Norway", comet=0.7, norway=0.7),
        evidence(DeedKind.SEARCHED, "sky dust", sky=0.6, dust=0.6),
    ),
)
MONEY = Interest(
    0.5,
    {"bank": 0.25, "rate": 0.25, "loan": 0.25, "debt": 0.25},
    (evidence(DeedKind.TOPIC, "money", bank=0.5, rate=0.5),),
)
PROFILE = Profile((SKY, MONEY), {"bread": 0.5, "flour": 0.5})


def sharing(name, *terms, hours=0):
    """An article that shares these terms."""
    return ProfileMatch(name, NOW - timedelta(hours=hours), frozenset(terms))


def offer(page="one", publishers=1, saves=0, **changes):
    """An article that may be recommended."""
    return UnseenArticle(article(page, **changes), publishers, saves)


def fitting(*found, of=PROFILE, most=10):
    """The articles that fit."""
    return rank_fits(found, of, NOW, most)


def test_an_article_fits_by_the_share_of_an_interests_terms():
    """The share counts by the interest's importance.

    Two interests together are worth more than either one, and less than their sum.
    """
    (sky,) = fitting(sharing("a", "comet", "norway"))
    (money,) = fitting(sharing("a", "bank", "rate"))
    (both,) = fitting(sharing("a", "comet", "norway", "bank", "rate"))
    assert (sky.worth, sky.interest) == (pytest.approx(0.65), 0)
    assert (money.worth, money.interest) == (pytest.approx(0.25), 1)
    assert (both.worth, both.interest) == (pytest.approx(1 - 0.35 * 0.75), 0)


def test_one_common_word_counts_only_if_it_is_most_of_the_interest():
    """`comet` is, `norway` is not. A poor fit is left out."""
    assert [
        fit.worth for fit in fitting(sharing("a", "comet"), sharing("b", "norway"), sharing("c"))
    ] == [pytest.approx(0.4)]
    faint = Profile((evolve(MONEY, importance=0.15),), {})
    assert fitting(sharing("a", "bank", "rate"), of=faint) == []


def test_disliked_terms_lower_the_worth():
    """By their share. All of them leave nothing."""
    (half,) = fitting(sharing("a", "comet", "norway", "bread"))
    assert half.worth == pytest.approx(0.65 / 2)
    assert fitting(sharing("a", "comet", "norway", "bread", "flour")) == []


def test_the_best_fits_come_first_and_at_most_the_wanted_number():
    """The order is by worth and recency.

    Of equal ones the newest comes first, then the smallest id.
    """
    found = [
        sharing("a", "comet"),
        sharing("old", "comet", "norway", hours=99_999),
        sharing("d", "comet", "norway"),
        sharing("c", "comet", "norway"),
    ]
    assert [fit.article_id for fit in fitting(*found)] == ["c", "d", "a", "old"]
    assert [fit.article_id for fit in fitting(*found, most=1)] == ["c"]


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (DeedKind.TOPIC, "topic you follow: x"),
        (DeedKind.SAVED, "because you saved “x”"),
        (DeedKind.NOTED, "because of your note on “x”"),
        (DeedKind.SEARCHED, "because you searched for “x”"),
        (DeedKind.OPENED, "because you read “x”"),
    ],
)
def test_a_reason_names_the_deed_in_words(kind, said):
    """Each kind of deed has its own words."""
    assert explain_pick([evidence(kind, "x", comet=1)], frozenset({"comet"})) == said


def test_the_reason_is_the_deed_with_the_most_shared_weight():
    """Of equal deeds the first is named."""
    assert (
        explain_pick(SKY.evidence, frozenset({"comet", "sky"}))
        == "because you saved “Comet over Norway”"
    )
    assert (
        explain_pick(SKY.evidence, frozenset({"sky", "dust"}))
        == "because you searched for “sky dust”"
    )
    assert explain_pick(SKY.evidence, frozenset()) == "because you saved “Comet over Norway”"


def test_recency_falls_from_1_to_a_half():
    """The part above a half halves every three days. A date in the future counts as now."""
    assert [score_recency(NOW - timedelta(days=days), NOW) for days in (-1, 0, 3, 6)] == [
        1.0,
        1.0,
        0.75,
        0.625,
    ]
    assert score_recency(NOW - timedelta(days=9_999), NOW) == 0.5


def scores(*offers, kept=NOBODYS):
    """The scores, by page, of articles that fit equally well."""
    found = fitting(*(sharing(one.article.id, "comet", "norway") for one in offers))
    chosen = run_all(score_personal(found, {one.article.id: one for one in offers}, kept, NOW))
    return [(choice.pick.article.external_id, choice.pick.score) for choice in chosen]


def test_popularity_orders_articles_that_fit_equally():
    """More publishers, saves or readers raise the score, which stays between 0 and 1."""
    shown = scores(
        offer("plain"),
        offer("covered", publishers=3),
        offer("read", engagement=Engagement(5_000, 5_000)),
        offer("saved", saves=2_000),
    )
    assert [page for page, _ in shown][-1] == "plain"
    assert all(0 < score < 1 for _, score in shown)


def test_preferred_sources_come_first_with_a_reason():
    """If there are preferred sources, articles of the others are worth a tenth less."""
    one, other = offer("a"), offer("b", source="newsapi")
    assert scores(one, other)[0][1] == scores(one, other)[1][1]
    kept = Preferences(preferred_sources=("newsapi",))
    assert [page for page, _ in scores(one, other, kept=kept)] == ["b", "a"]
    chosen = run_all(
        score_personal(
            fitting(sharing(other.article.id, "comet")), {other.article.id: other}, kept, NOW
        )
    )
    assert chosen[0].pick.reasons[1:] == ("preferred source: newsapi",)


def test_an_article_without_an_offer_is_not_chosen():
    """The person has seen it, or it was deleted."""
    assert run_all(score_personal(fitting(sharing("gone", "comet")), {}, NOBODYS, NOW)) == []
    assert (
        run_all(
            score_popular([PopularArticle("gone", "new", frozenset())], {}, NOBODYS, PROFILE, NOW)
        )
        == []
    )


@pytest.mark.parametrize(
    ("changes", "kept", "let_in"),
    [
        ({}, {}, True),
        ({"title": "The Comet of 1680"}, {"excluded_topics": ("comet",)}, False),
        ({"section": "Sky at Night"}, {"excluded_topics": ("sky at night",)}, False),
        ({"title": "Comets"}, {"excluded_topics": ("comet",)}, False),
        ({"title": "Cometary"}, {"excluded_topics": ("comet",)}, True),
        ({"language": "de"}, {"language": "en"}, False),
        ({"language": "en"}, {"language": "en"}, True),
        ({"language": None}, {"language": "en"}, True),
    ],
)
def test_preferences_filter_articles(changes, kept, let_in):
    """By topic, and by language if it is known. The filter applies to both lists of the page."""
    one = offer("x", **changes)
    preferences = Preferences(**kept)
    assert is_allowed(one, preferences, PreparedTopics(preferences.excluded_topics)) is let_in
    assert bool(scores(one, kept=Preferences(**kept))) is let_in
    talked = [PopularArticle(one.article.id, "new", frozenset())]
    assert (
        bool(
            run_all(score_popular(talked, {one.article.id: one}, Preferences(**kept), PROFILE, NOW))
        )
        is let_in
    )


def test_explorations_are_far_from_the_profile():
    """An article that shares much with an interest, or with disliked terms, is no exploration."""
    assert is_outside_profile(
        frozenset({"norway", "volcano"}),
        evolve(PROFILE, interests=(evolve(SKY, terms=SKY.terms | {"norway": 0.24}),)),
    )
    assert not is_outside_profile(frozenset({"norway"}), PROFILE)
    assert not is_outside_profile(frozenset({"bread"}), PROFILE)
    one = offer("x")
    near, far = (
        PopularArticle(one.article.id, "new", frozenset(terms))
        for terms in ({"comet"}, {"volcano"})
    )
    chosen = run_all(score_popular([near, far], {one.article.id: one}, NOBODYS, PROFILE, NOW))
    assert [choice.pick.reasons for choice in chosen] == [("new",)]
    assert mark_exploration(chosen[0]).reasons == ("exploration: new",)
    assert 0 < chosen[0].pick.score <= 0.5


@given(
    st.sets(st.sampled_from([*SKY.terms, *MONEY.terms, *PROFILE.averse])),
    st.sampled_from([*SKY.terms, *MONEY.terms]),
)
def test_sharing_more_wanted_terms_never_lowers_the_worth(shared, more):
    """Sharing more unwanted terms never raises it. The worth is between 0 and 1."""

    def worth(terms):
        found = fitting(sharing("a", *terms))
        return found[0].worth if found else 0.0

    assert 0 <= worth(shared) <= worth(shared | {more}) <= 1
    assert worth(shared | {"bread"}) <= worth(shared)


def test_long_articles_and_many_excluded_topics_are_read_in_slices():
    """Each of 60 articles with the longest description is a slice of its own."""
    kept = Preferences(excluded_topics=tuple(f"nothing {number}" for number in range(50)))
    texts = {f"a_{number}": f"地震{number}" * 400 for number in range(60)}
    offers = {
        name: UnseenArticle(article(name, description=text[:2000]), 1, 0)
        for name, text in texts.items()
    }
    found = [Fit(name, 1.0, 0, "why") for name in texts]
    talked = [PopularArticle(name, "why", frozenset()) for name in texts]

    def forgetting(make, *given):
        for memo in (
            tokens._exact,
            tokens._plain,
            matching._join_spellings,
            matching._join_lexemes,
            matching._detect_joined,
        ):
            memo.clear()
        return make(*given)

    for make in (
        lambda: forgetting(score_personal, found, offers, kept, NOW),
        lambda: forgetting(score_popular, talked, offers, kept, PROFILE, NOW),
    ):
        longest_ms, chosen = longest_slice(make)
        assert len(chosen) == 60
        assert longest_ms < ALLOWED * LONGEST_MS, f"{longest_ms:.1f} ms"
