"""The search body follows the API contract, whatever the order in which outcomes arrived."""

from datetime import UTC, datetime, timedelta, timezone

import orjson
import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from newsintel.domain.search.article import ArchivedArticle, Article, Engagement, Member, Pair, Rule
from newsintel.domain.search.codec import to_json
from newsintel.domain.search.harvest import Answer, Harvest, Merge, Origin
from newsintel.domain.search.merging import build_pairs, merge_articles
from newsintel.domain.search.outcome import FetchOutcome, Status
from newsintel.domain.search.query_model import Dedupe
from newsintel.domain.search.source_ranks import score_ranks
from newsintel.domain.text.moments import format_time
from newsintel.http.bodies.search import View, build_article_body, render
from tests.values import NOW, SOURCES, article, harvests, modes, outcome, query, unhurried
from tests.whole import dump_answer, load_answer

FULL = article(
    "full",
    title="Fed holds rates steady as inflation cools",
    description="The story of the Fed",
    content="All of it",
    author="Jane Doe",
    section="Business",
    image_url="https://example.org/full.jpg",
    language="en",
    published_at=NOW - timedelta(days=2),
)
BARE = article(
    "bare",
    source="newsapi",
    title="Fed holds rates steady as inflation cool",
    publisher="BBC News",
    published_at=NOW.replace(microsecond=0),
    published_at_estimated=True,
)
OTHER = article(
    "other",
    source="reddit",
    title="Something else",
    publisher="r/news",
    engagement=Engagement(100, 1, "https://www.reddit.com/r/news/comments/1abc/"),
)
SIMILARITY = 0.9947


def answered(harvest: Harvest, *refused: FetchOutcome) -> Answer:
    """Return an answer with the harvest's default merge, as a flight lands it."""
    return Answer(
        harvest,
        merge_articles(
            harvest.query,
            harvest.articles,
            Dedupe.NORMAL,
            harvest.fetched_at,
            harvest.saves,
            ranks=score_ranks(harvest.query, harvest.outcomes),
        ),
        refused,
    )


HARVEST = Harvest(
    query(),
    NOW,
    (
        outcome(
            "newsapi", BARE, returned=3, latency_ms=12.3456, http_status=200, ignored=("language",)
        ),
        outcome("guardian", FULL),
        outcome("reddit", OTHER),
    ),
)


def test_body_has_every_member_of_the_contract():
    """One group has a leader that is not its founder; the other has a single article."""
    body = render(answered(HARVEST), View())
    assert body == {
        "articles": [
            {
                "id": FULL.id,
                "group_id": BARE.id,
                "title": FULL.title,
                "description": "The story of the Fed",
                "url": FULL.url,
                "source": "guardian",
                "publisher": "The Guardian",
                "section": "Business",
                "author": "Jane Doe",
                "image_url": "https://example.org/full.jpg",
                "language": "en",
                "published_at": "2026-03-02T05:06:07Z",
                "discussion": None,
                "score": pytest.approx(0.14 + 0.14 + 0.075 + 0.05),
                "duplicates": [
                    {
                        "id": BARE.id,
                        "title": BARE.title,
                        "url": BARE.url,
                        "source": "newsapi",
                        "publisher": "BBC News",
                        "published_at": "2026-03-04T05:06:07Z",
                        "rule": "near_title",
                        "similarity": SIMILARITY,
                    }
                ],
            },
            {
                "id": OTHER.id,
                "group_id": OTHER.id,
                "title": "Something else",
                "description": None,
                "url": OTHER.url,
                "source": "reddit",
                "publisher": "r/news",
                "section": None,
                "author": None,
                "image_url": None,
                "language": None,
                "published_at": "2026-03-04T04:06:07Z",
                "discussion": {
                    "url": "https://www.reddit.com/r/news/comments/1abc/",
                    "points": 100,
                    "comments": 1,
                },
                "score": pytest.approx(0.14 + 0.1478 + 0.02),
                "duplicates": [],
            },
        ],
        "total": 2,
        "limit": 20,
        "page": 1,
        "has_more": False,
        "complete": True,
        "origin": "live",
        "fetched_at": "2026-03-04T05:06:07.891Z",
        "sources": {
            "newsapi": {
                "status": "ok",
                "latency_ms": 12.3,
                "returned": 3,
                "kept": 1,
                "merged": 1,
                "http_status": 200,
                "retry_at": None,
                "ignored": ["language"],
            },
            "guardian": {
                "status": "ok",
                "latency_ms": None,
                "returned": 1,
                "kept": 1,
                "merged": 0,
                "http_status": None,
                "retry_at": None,
                "ignored": [],
            },
            "reddit": {
                "status": "ok",
                "latency_ms": None,
                "returned": 1,
                "kept": 1,
                "merged": 0,
                "http_status": None,
                "retry_at": None,
                "ignored": [],
            },
        },
    }


def test_explain_shows_parts_that_sum_to_the_score():
    """The parts appear only if the caller asks for them."""
    for shown in render(answered(HARVEST), View(explain=True))["articles"]:
        assert list(shown["score_parts"]) == [
            "title",
            "description",
            "recency",
            "corroboration",
            "engagement",
            "source_rank",
        ]
        assert sum(shown["score_parts"].values()) == pytest.approx(shown["score"])


def test_only_an_estimated_date_is_marked():
    """An article with a known date has no `published_at_estimated` member."""
    bodies = {it["id"]: it for it in render(answered(HARVEST), View(dedupe=Dedupe.OFF))["articles"]}
    assert bodies[BARE.id]["published_at_estimated"] is True
    assert "published_at_estimated" not in bodies[FULL.id]


@pytest.mark.parametrize(
    ("limit", "page", "ids", "has_more"),
    [
        (1, 1, [FULL.id], True),
        (1, 2, [OTHER.id], False),
        (2, 1, [FULL.id, OTHER.id], False),
        (1, 3, [], False),
        (100, 1000, [], False),
    ],
)
def test_page_past_the_end_is_empty(limit, page, ids, has_more):
    """`has_more` says whether the next page has articles."""
    body = render(answered(HARVEST), View(limit=limit, page=page))
    assert [it["id"] for it in body["articles"]] == ids
    assert (body["total"], body["limit"], body["page"], body["has_more"]) == (
        2,
        limit,
        page,
        has_more,
    )


def test_dedupe_mode_is_a_view():
    """`off` lists every article by itself and counts none as merged.

    If the requested mode is the answer's own, its merge is used as it is.
    """
    body = render(answered(HARVEST), View(dedupe=Dedupe.OFF))
    assert body["total"] == 3
    assert [it["merged"] for it in body["sources"].values()] == [0, 0, 0]
    kept_as_it_is = Answer(HARVEST, Merge(Dedupe.NORMAL, ()))
    assert render(kept_as_it_is, View())["total"] == 0
    assert render(kept_as_it_is, View(dedupe=Dedupe.STRICT))["total"] == 2


def test_a_stale_answer_reports_the_refresh_that_failed():
    """The old articles keep their `fetched_at`; the sources show the failed refresh.

    The answer is not complete, and the failed sources have nothing merged.
    """
    refused = FetchOutcome(
        "newsapi", Status.RATE_LIMITED, NOW, http_status=429, retry_at=NOW + timedelta(minutes=1)
    )
    body = render(answered(evolve(HARVEST, origin=Origin.STALE), refused), View())
    assert (body["origin"], body["complete"], body["total"]) == ("stale", False, 2)
    assert body["sources"] == {
        "newsapi": {
            "status": "rate_limited",
            "latency_ms": None,
            "returned": 0,
            "kept": 0,
            "merged": 0,
            "http_status": 429,
            "retry_at": "2026-03-04T05:07:07.891Z",
            "ignored": [],
        }
    }


def test_articles_from_the_archive_count_for_no_source():
    """Failed sources kept nothing, so nothing of theirs was merged."""
    failed = FetchOutcome("newsapi", Status.TIMEOUT, NOW)
    harvest = Harvest(query(), NOW, (failed,), Origin.ARCHIVE, (FULL, BARE))
    body = render(answered(harvest), View())
    assert (body["origin"], body["complete"], body["total"]) == ("archive", False, 1)
    assert body["sources"]["newsapi"]["merged"] == 0


def test_the_same_page_from_two_sources_is_one_group():
    """Two articles with one id are one story by the rule `url`, and two stories with `off`."""
    twin = evolve(FULL, source="reddit", publisher="r/news", title="Another title")
    harvest = Harvest(query(), NOW, (outcome("guardian", FULL), outcome("reddit", twin)))
    (only,) = render(answered(harvest), View(dedupe=Dedupe.STRICT))["articles"]
    assert [(it["id"], it["rule"]) for it in only["duplicates"]] == [(FULL.id, "url")]
    assert render(answered(harvest), View(dedupe=Dedupe.OFF))["total"] == 2
    assert build_pairs(merge_articles(query(), harvest.articles, Dedupe.STRICT, NOW)) == ()


def discussed(points, thread="1", **changes):
    """A bare post about FULL's page, with a discussion."""
    url = f"https://www.reddit.com/r/news/comments/{thread}/"
    values = {"source": "reddit", "description": None, "content": None, "image_url": None}
    return evolve(FULL, engagement=Engagement(points, 1, url), **values | changes)


ELSEWHERE = {"id": BARE.id, "canonical_url": BARE.canonical_url}


@pytest.mark.parametrize(
    ("others", "points"),
    [
        ([], None),
        ([discussed(5)], 5),
        ([discussed(5), discussed(7, "2"), discussed(6, "3")], 7),
        ([discussed(0)], 0),
        # those of another page of the story, if there is none of the leader's page
        ([discussed(5, **ELSEWHERE)], 5),
        ([discussed(5), discussed(7, "2", **ELSEWHERE)], 5),
        # counts without an address are no discussion
        ([evolve(discussed(9), engagement=Engagement(9, 9))], None),
        ([evolve(discussed(9), engagement=Engagement(9, 9)), discussed(5)], 5),
    ],
)
def test_a_story_keeps_the_discussion_of_its_posts(others, points):
    """The outlet's own article leads, and the post of the same page is a duplicate."""
    harvest = Harvest(query(), NOW, (outcome("guardian", FULL), outcome("reddit", *others)))
    (only,) = render(answered(harvest), View())["articles"]
    assert (only["id"], only["source"]) == (FULL.id, "guardian")
    assert (only["discussion"] or {}).get("points") == points


@pytest.mark.slow
@unhurried
@given(harvests())
def test_no_story_loses_its_discussion(harvest):
    """The one shown is of the leader's page if possible, and none of these has more points."""
    answer = answered(harvest)
    stories = {story.group.founder.id: story.group for story in answer.merge.ranked}
    for shown in render(answer, View(limit=100))["articles"]:
        counted = [
            (member.article.id == shown["id"], it.points, it)
            for member in stories[shown["group_id"]].members
            if (it := member.article.engagement) and it.url
        ]
        best = max((it[:2] for it in counted), default=None)
        assert (shown["discussion"] is None) == (best is None)
        if best is not None:
            assert (*best, Engagement(**shown["discussion"])) in counted


def test_one_source_may_list_the_same_item_twice():
    """Two articles that are equal in every field: one leads, the other is its duplicate."""
    harvest = Harvest(query(), NOW, (outcome("guardian", FULL, FULL),))
    body = render(answered(harvest), View())
    assert [it["id"] for it in body["articles"][0]["duplicates"]] == [FULL.id]
    assert body["sources"]["guardian"]["merged"] == 1


def test_pairs_link_each_page_to_its_founder_once():
    """The first link counts, even if the page comes again with the same address."""
    again = evolve(FULL, title="Quite another title now")
    merged = merge_articles(query(), [BARE, FULL, again, OTHER], Dedupe.STRICT, NOW)
    alike = pytest.approx(40 / 41)
    assert build_pairs(merged) == (Pair(FULL.id, BARE.id, Rule.NEAR_TITLE, alike),)


@pytest.mark.slow
@unhurried
@given(harvests(), modes)
def test_pairs_link_different_pages_and_never_repeat(harvest, mode):
    """The archive requires this: no page paired with itself, no pair twice in either direction."""
    found = build_pairs(merge_articles(harvest.query, harvest.articles, mode, harvest.fetched_at))
    ends = [frozenset((it.member_id, it.founder_id)) for it in found]
    assert all(len(it) == 2 for it in ends)
    assert len(set(ends)) == len(ends)


def landed(outcomes: list[FetchOutcome], harvest: Harvest) -> Merge:
    """Return the merge of outcomes that arrived in any order and are taken in founder order."""
    in_order = tuple(sorted(outcomes, key=lambda it: SOURCES.index(it.source)))
    return merge_articles(
        harvest.query,
        evolve(harvest, outcomes=in_order).articles,
        Dedupe.NORMAL,
        harvest.fetched_at,
    )


@unhurried
@given(harvests(), st.data())
def test_the_merge_does_not_depend_on_who_answered_first(harvest, data):
    """Outcomes in any order give the same merge, because they are taken in founder order."""
    arrived = data.draw(st.permutations(harvest.outcomes))
    assert landed(list(arrived), harvest) == landed(list(harvest.outcomes), harvest)


@pytest.mark.slow
@unhurried
@given(harvests(), modes)
def test_merging_the_shown_articles_gives_the_same_merge(harvest, mode):
    """Leaders and duplicates, put back in founder order, merge as before."""
    merged = merge_articles(harvest.query, harvest.articles, mode, harvest.fetched_at)
    shown = [member.article for ranked in merged.ranked for member in ranked.group.members]
    positions: dict[int, list[int]] = {}
    for position, it in enumerate(harvest.articles):
        positions.setdefault(id(it), []).append(position)
    back: list[Article] = sorted(shown, key=lambda it: positions[id(it)][0])
    assert merge_articles(harvest.query, back, mode, harvest.fetched_at) == merged


@pytest.mark.slow
@unhurried
@given(harvests(), modes, st.booleans())
def test_every_article_is_shown_once(harvest, mode, explain):
    """Each article is a leader or a duplicate, and the counts add up.

    The body from the cache equals the body of the miss.
    """
    body = render(answered(harvest), View(limit=100, dedupe=mode, explain=explain))
    shown = [it["id"] for it in body["articles"]] + [
        it["id"] for lead in body["articles"] for it in lead["duplicates"]
    ]
    assert sorted(shown) == sorted(it.id for it in harvest.articles)
    duplicates = [it for lead in body["articles"] for it in lead["duplicates"]]
    assert all(it["rule"] is not None and 0 <= it["similarity"] <= 1 for it in duplicates)
    if harvest.origin is Origin.LIVE:
        assert sum(it["merged"] for it in body["sources"].values()) == len(duplicates)
    cached = load_answer(dump_answer(answered(harvest)))
    assert to_json(render(cached, View(limit=100, dedupe=mode, explain=explain))) == to_json(body)


def test_an_archived_article_has_its_text_and_its_times():
    """`GET /articles/{id}` shows what a search shows, plus content, leader and times.

    Score and group belong to a search, so they are left out.
    """
    archived = ArchivedArticle(
        FULL,
        NOW - timedelta(days=1),
        NOW,
        BARE.id,
        group_id=BARE.id,
        duplicates=(Member(BARE, Rule.NEAR_TITLE, 0.9),),
    )
    body = build_article_body(archived)
    assert body == {
        "id": FULL.id,
        "title": FULL.title,
        "description": FULL.description,
        "url": FULL.url,
        "source": "guardian",
        "publisher": "The Guardian",
        "section": "Business",
        "author": "Jane Doe",
        "image_url": "https://example.org/full.jpg",
        "language": "en",
        "published_at": "2026-03-02T05:06:07Z",
        "discussion": None,
        "content": "All of it",
        "leader_id": BARE.id,
        "group_id": BARE.id,
        "duplicates": [
            {
                "id": BARE.id,
                "title": BARE.title,
                "url": BARE.url,
                "source": BARE.source,
                "publisher": BARE.publisher,
                "published_at": format_time(BARE.published_at, "seconds"),
                "rule": "near_title",
                "similarity": 0.9,
            }
        ],
        "first_seen_at": "2026-03-03T05:06:07.891Z",
        "fetched_at": "2026-03-04T05:06:07.891Z",
    }
    assert orjson.loads(to_json(body)) == body


def test_times_are_utc_with_a_z():
    """A moment with any offset is converted."""
    moment = datetime(2026, 1, 1, 1, 30, tzinfo=timezone(timedelta(hours=2)))
    assert format_time(moment) == "2025-12-31T23:30:00.000Z"
    assert format_time(datetime(2026, 1, 1, tzinfo=UTC), "seconds") == "2026-01-01T00:00:00Z"


def test_explain_names_what_keeps_similar_stories_apart():
    """Both groups list each other, with the veto; without `explain` neither does."""
    one, other, far = (
        article(page, title=title, publisher=page, published_at=NOW)
        for page, title in (
            ("one", "Riksbank raises interest rates by quarter point"),
            ("two", "Riksbank cuts interest rates by quarter point"),
            ("far", "Volcano erupts near fishing town"),
        )
    )
    answer = answered(Harvest(query(), NOW, (outcome("newsapi", one, other, far),)))
    body = render(answer, View(explain=True))
    apart = {it["id"]: it["kept_apart"] for it in body["articles"]}
    assert [(it["id"], it["title"], it["veto"]) for it in apart[one.id]] == [
        (other.id, other.title, "opposite")
    ]
    assert [it["id"] for it in apart[other.id]] == [one.id]
    assert apart[far.id] == []
    for view in (View(), View(explain=True, dedupe=Dedupe.STRICT)):
        assert not any(it.get("kept_apart") for it in render(answer, view)["articles"])
