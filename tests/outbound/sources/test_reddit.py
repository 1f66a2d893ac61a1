"""Reddit: requests, posts and refusals."""

import re
from datetime import UTC, datetime, timedelta
from html import escape
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from selectolax.lexbor import LexborHTMLParser

from newsintel.config.reading import read_settings
from newsintel.domain.search.article import Article, Engagement
from newsintel.domain.search.forums import name_forum
from newsintel.domain.search.outcome import Refusal, SourcePage, Status
from newsintel.domain.search.query import build_query
from newsintel.domain.search.query_model import Sort
from newsintel.domain.text.clean import to_plain_text
from newsintel.outbound.sources import REGISTRY
from newsintel.outbound.sources.known_outlets import KNOWN_OUTLETS
from newsintel.outbound.sources.reddit import parse_subreddits
from tests.domain.text.test_markup import ABOUT_TAGS
from tests.outbound.sources.replies import (
    NOW,
    QUERY,
    query,
    recorded_bodies,
    recorded_exchanges,
    reply,
)
from tests.shared import needs_shared

SOURCE = REGISTRY["reddit"]
ENVIRON = {
    "NEWSINTEL_REDDIT_CLIENT_ID": "i",
    "NEWSINTEL_REDDIT_CLIENT_SECRET": "s",
    "NEWSINTEL_REDDIT_USER_AGENT": "web:example:v1 (by /u/x)",
}
SETTINGS = read_settings([SOURCE.options], ENVIRON).source["reddit"]


def post(kind: str = "t3", **changes: Any) -> dict[str, Any]:
    """A good link post with changes."""
    data = {
        "name": "t3_1abc",
        "title": "Storm ahead",
        "subreddit": "news",
        "author": "someone",
        "url": "https://www.bugle.example/storm?utm_source=r",
        "permalink": "/r/news/comments/1abc/storm_ahead/",
        "is_self": False,
        "over_18": False,
        "created_utc": 1795168800.0,
        "score": 12,
        "num_comments": 3,
        "selftext": "",
        "thumbnail": "https://img.example.org/small.jpg",
        "preview": {"images": [{"source": {"url": "https://img.example.org/large.jpg?s=1"}}]},
    }
    return {"kind": kind, "data": data | changes}


def read(*posts: Any, **headers: str) -> SourcePage:
    """The page of these posts."""
    found = SOURCE.read(
        reply({"kind": "Listing", "data": {"after": None, "children": list(posts)}}, **headers),
        QUERY,
        NOW,
    )
    assert isinstance(found, SourcePage)
    return found


def test_credentials_enable_the_source() -> None:
    """Client id, secret and user agent are needed; base URLs and subreddits have defaults."""
    assert SETTINGS.enabled
    assert SOURCE.uses_token
    assert (SETTINGS.url, SETTINGS.pace_s, SETTINGS.quota) == (
        "https://oauth.reddit.com",
        0.6,
        None,
    )
    assert SETTINGS.values["auth_url"] == "https://www.reddit.com"
    assert SETTINGS.values["subreddits"] == ("news", "worldnews", "technology")


@pytest.mark.parametrize(
    ("raw", "expected"),
    [("news", ("news",)), ("news + World_News", ("news", "World_News")), ("all", ("all",))],
)
def test_subreddits_are_read(raw: str, expected: tuple[str, ...]) -> None:
    """Plus signs join the names."""
    assert parse_subreddits(raw) == expected


@pytest.mark.parametrize("raw", ["", "news+", "a", "news,world", "../api", "x" * 22, "ñews"])
def test_invalid_subreddits_are_refused(raw: str) -> None:
    """Only the name of a subreddit can get into a path."""
    with pytest.raises(ValueError, match="must be names"):
        parse_subreddits(raw)


def test_request_has_every_parameter() -> None:
    """One call within the subreddits asks for posts only, with unescaped texts.

    The repr shows no token.
    """
    request = SOURCE.build_request(
        build_query('node.js "high tide" -film', sources=("reddit",), sort=Sort.POPULAR),
        SETTINGS,
        "the-token",
        NOW,
    )
    assert request.path == "/r/news+worldnews+technology/search"
    assert dict(request.params) == {
        "q": '"node.js" AND "high tide" NOT film',
        "sort": "top",
        "t": "all",
        "limit": "100",
        "type": "link",
        "raw_json": "1",
        "restrict_sr": "1",
    }
    assert dict(request.headers) == {
        "Authorization": "bearer the-token",
        "User-Agent": "web:example:v1 (by /u/x)",
    }
    assert "the-token" not in repr(request)


def test_posts_are_checked_by_their_names() -> None:
    """One call takes a hundred posts; what was removed is not in the page."""
    assert SOURCE.recheck
    request = SOURCE.recheck.build_request(["t3_1abc", "t3_2abc"], SETTINGS, "the-token")
    assert (request.path, dict(request.params)) == (
        "/api/info",
        {"id": "t3_1abc,t3_2abc", "raw_json": "1"},
    )
    assert dict(request.headers)["Authorization"] == "bearer the-token"
    assert SOURCE.recheck.most_ids == 100
    assert re.fullmatch(SOURCE.recheck.id_pattern, "t3_1abc")
    assert not re.fullmatch(SOURCE.recheck.id_pattern, "https://example.org/t3_1abc")


@pytest.mark.parametrize(
    ("sort", "sent"), [(Sort.RELEVANCE, "relevance"), (Sort.NEWEST, "new"), (Sort.POPULAR, "top")]
)
def test_sort_has_reddits_name(sort: Sort, sent: str) -> None:
    """Reddit sorts the results."""
    assert dict(SOURCE.build_request(query(sort=sort), SETTINGS, "t", NOW).params)["sort"] == sent


@pytest.mark.parametrize(
    ("days_back", "span"),
    [
        (None, "all"),
        (0.01, "hour"),
        (0.5, "day"),
        (1, "week"),
        (6.9, "week"),
        (20, "month"),
        (30, "year"),
        (400, "all"),
    ],
)
def test_span_reaches_back_to_the_start(days_back: float | None, span: str) -> None:
    """The request has the shortest span that contains the start.

    Most of the hundred rows are then within the query's bounds.
    """
    start = None if days_back is None else NOW - timedelta(days=days_back)
    assert (
        dict(SOURCE.build_request(query(start=start, end=NOW), SETTINGS, "t", NOW).params)["t"]
        == span
    )


def test_earliest_and_latest_dates_have_a_span() -> None:
    """A bound at the limits of datetime does not fail the request."""
    for bound in (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)):
        assert dict(SOURCE.build_request(query(start=bound, end=bound), SETTINGS, "k", NOW).params)[
            "t"
        ] in ("all", "hour")


def test_all_searches_every_subreddit() -> None:
    """The path and the parameters name no subreddit."""
    settings = read_settings(
        [SOURCE.options], ENVIRON | {"NEWSINTEL_REDDIT_SUBREDDITS": "all"}
    ).source["reddit"]
    request = SOURCE.build_request(QUERY, settings, "t", NOW)
    assert request.path == "/search"
    assert "restrict_sr" not in dict(request.params)


def test_long_query_fits_512_characters() -> None:
    """Reddit accepts 512 characters."""
    assert (
        len(
            dict(
                SOURCE.build_request(
                    build_query("ab " * 85, sources=("reddit",)), SETTINGS, "t", NOW
                ).params
            )["q"]
        )
        <= 512
    )


def test_language_is_ignored() -> None:
    """Reddit has no languages."""
    assert SOURCE.list_ignored_parameters(QUERY) == ()
    assert SOURCE.list_ignored_parameters(query(language="en")) == ("language",)


def test_link_post_becomes_the_article_it_links_to() -> None:
    """The URL is the article's, not the post's; who posted it did not write it."""
    article = read(post()).articles[0]
    assert article == Article(
        id=article.id,
        source="reddit",
        external_id="t3_1abc",
        url="https://www.bugle.example/storm?utm_source=r",
        canonical_url="https://bugle.example/storm",
        title="Storm ahead",
        publisher="bugle.example",
        published_at=datetime(2026, 11, 20, 10, tzinfo=UTC),
        image_url="https://img.example.org/large.jpg?s=1",
        engagement=Engagement(12, 3, "https://www.reddit.com/r/news/comments/1abc/storm_ahead/"),
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"is_self": True, "url": "https://www.reddit.com/r/news/comments/1abc/storm_ahead/"},
        {"url": "https://www.reddit.com/gallery/1abc", "is_gallery": True},
        {"url": "https://i.redd.it/x.jpg"},
        {"url": "https://v.redd.it/x", "is_video": True},
        {"url": "/r/other/comments/9xyz/storm/"},
        {"url": "https://bugle.example/", "url_overridden_by_dest": "https://i.redd.it/x.jpg"},
        {"url": None},
    ],
)
def test_post_without_an_external_link_is_its_own_page(changes: dict[str, Any]) -> None:
    """These are texts, galleries, crossposts, and media that Reddit hosts.

    The subreddit is the publisher, and the page is also that of the discussion.
    """
    article = read(post(**changes)).articles[0]
    assert article.url == "https://www.reddit.com/r/news/comments/1abc/storm_ahead/"
    assert (article.publisher, article.engagement) == ("r/news", Engagement(12, 3, article.url))
    assert article.author == "someone"
    assert article.canonical_url == "https://reddit.com/comments/1abc"


def test_a_discussion_has_one_address() -> None:
    """Old permalinks also say where they were found; a slug may have any script."""
    for permalink, path in (
        ("/r/news/comments/1abc/storm/?ref=search_posts", "/r/news/comments/1abc/storm/"),
        ("/r/news/comments/1abc/雨/", "/r/news/comments/1abc/%E9%9B%A8/"),
        (None, "/comments/1abc"),
        ("https://evil.example/", "/comments/1abc"),
    ):
        engagement = read(post(permalink=permalink)).articles[0].engagement
        assert engagement == Engagement(12, 3, f"https://www.reddit.com{path}")


def test_destination_overrides_the_url() -> None:
    """`url_overridden_by_dest` is what a post links to."""
    assert (
        read(post(url_overridden_by_dest="https://other.example/x")).articles[0].url
        == "https://other.example/x"
    )


def test_text_of_a_text_post_is_its_description() -> None:
    """A deleted account is not an author; a stickied post is a match like others."""
    article = read(
        post(is_self=True, selftext="It **will**\n\nrain", author="[deleted]", stickied=True)
    ).articles[0]
    assert (article.description, article.author) == ("It **will** rain", None)


DOCUMENTED = """
| `String` | `domain` | the domain of this link.  Self posts will be `self.<subreddit>` while \
other examples include `en.wikipedia.org` and `s3.amazon.com` |
| `boolean` | `is_self` | true if this link is a selfpost |
| `int` | `num_comments` | the number of comments that belong to this link. includes removed \
comments. |
| `String` | `permalink` | relative URL of the permanent link for this link |
| `int` | `score` | the net-score of the link. |
| `String` | `subreddit` | subreddit of thing excluding the /r/ prefix. "pics" |
| `String` | `url` | the link of this post.  the permalink if this is a self-post |
"""
"""From Reddit's own description of its answers (github.com/reddit-archive/reddit, wiki, JSON)."""


def test_a_post_as_documented_has_its_discussion() -> None:
    """The post's fields, and nothing else, make its publisher and its discussion."""
    fields = {
        "domain": "en.wikipedia.org",
        "is_self": False,
        "num_comments": 17,
        "permalink": "/r/pics/comments/92dd8/storm/",
        "score": 9,
        "subreddit": "pics",
        "url": "https://en.wikipedia.org/wiki/Storm",
    }
    assert re.findall(r"^\| +`\w+` +\| `(\w+)`", DOCUMENTED, re.MULTILINE) == list(fields)
    bare = {"name": "t3_92dd8", "title": "Storm"}
    linked = read({"kind": "t3", "data": bare | fields}).articles[0]
    thread = "https://www.reddit.com/r/pics/comments/92dd8/storm/"
    assert linked.engagement == Engagement(points=9, comments=17, url=thread)
    assert (linked.publisher, linked.url) == ("wikipedia.org", fields["url"])
    text = fields | {"domain": "self.pics", "is_self": True, "url": thread}
    own = read({"kind": "t3", "data": bare | text}).articles[0]
    assert own.engagement == linked.engagement
    assert (own.publisher, own.url) == ("r/pics", thread)


@needs_shared
def test_recorded_posts_have_the_publisher_and_discussion_of_their_own_fields() -> None:
    """`domain` is what Reddit says of the link, `self.<subreddit>` or a host."""
    links = 0
    for _, body in recorded_bodies("reddit"):
        page = SOURCE.read(reply(body), QUERY, NOW)
        assert isinstance(page, SourcePage)
        posts = {row["data"]["name"]: row["data"] for row in body["data"]["children"]}
        for article in page.articles:
            sent = posts[article.external_id]
            assert article.engagement == Engagement(
                max(sent["score"], 0),
                sent["num_comments"],
                f"https://www.reddit.com{quote(urlsplit(sent['permalink']).path, safe='/%')}",
            )
            assert name_forum(article.engagement.url or "") == f"r/{sent['subreddit']}"
            host = sent["domain"]
            if host.endswith(("redd.it", "reddit.com")) or host == f"self.{sent['subreddit']}":
                assert article.publisher == f"r/{sent['subreddit']}"
            elif not article.publisher.islower():  # an outlet with a name
                links += 1
                assert article.publisher in KNOWN_OUTLETS.values()
            else:
                links += 1
                assert f".{host}".endswith(f".{article.publisher}")
    assert links > 400


@pytest.mark.parametrize(
    ("html", "text"),
    [
        (
            '<p>It <strong>will</strong> <a href="https://x.example/">rain</a></p>\n\n<p>No</p>',
            "It will rain No",
        ),
        ("<ul>\n<li>one</li>\n<li>two</li>\n</ul>", "one two"),
        ("<p>a &lt;b&gt; tag &amp; &amp;amp;</p>", "a <b> tag & &amp;"),
        ("<blockquote>\n<p>雨が降る</p>\n</blockquote>", "雨が降る"),
        ("<pre><code>if a &lt; b:\n    pass\n</code></pre>", "if a < b: pass"),
        ("", "Mark*down*"),
    ],
)
def test_text_of_a_post_is_read_from_its_html(html: str, text: str) -> None:
    """Reddit renders the Markdown; where it sends no HTML, the Markdown is shown."""
    wrapped = f'<!-- SC_OFF --><div class="md">{html}</div><!-- SC_ON -->'
    for sent in (wrapped, escape(wrapped, quote=False)):
        one = post(is_self=True, selftext="Mark*down*", selftext_html=sent)
        assert read(one).articles[0].description == text


@needs_shared
def test_recorded_texts_are_those_that_a_browser_shows() -> None:
    """The engine Lexbor reads the same letters from each."""
    seen = 0
    for _, body in recorded_bodies("reddit"):
        for row in body["data"]["children"]:
            if html := row["data"].get("selftext_html"):
                shown = LexborHTMLParser(f"<body>{html}</body>").body.text()
                sent = post(is_self=True, selftext_html=html)
                found = (read(sent).articles[0].description or "").removesuffix("…")
                assert found or not to_plain_text(shown, 100)
                assert "".join(shown.split()).startswith("".join(found.split()))
                seen += 1
    assert seen == 88


@pytest.mark.parametrize("title", ABOUT_TAGS)
def test_titles_and_texts_about_tags_are_shown_whole(title: str) -> None:
    """A title is plain text.

    A text is Markdown: it may contain tags as text, and its entities are decoded.
    """
    article = read(post(title=title, is_self=True, selftext=f"{title} &#x200B; &amp;")).articles[0]
    assert (article.title, article.description) == (title, f"{title} &")
    assert read(post(title="How to write &amp;")).articles[0].title == "How to write &amp;"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"preview": None}, "https://img.example.org/small.jpg"),
        ({"preview": {"images": []}}, "https://img.example.org/small.jpg"),
        ({"preview": {"images": ["x"]}, "thumbnail": "self"}, None),
        ({"preview": {"images": 5}, "thumbnail": None}, None),
    ],
)
def test_image_is_the_preview_or_the_thumbnail(
    changes: dict[str, Any], expected: str | None
) -> None:
    """The thumbnail is used only if it is a URL."""
    assert read(post(**changes)).articles[0].image_url == expected


def test_post_with_missing_fields_becomes_an_article() -> None:
    """Only identity, title and URL are required."""
    article = read(
        {"kind": "t3", "data": {"name": "t3_1", "title": "Storm", "url": "https://bugle.example/1"}}
    ).articles[0]
    assert (article.publisher, article.author, article.engagement) == (
        "bugle.example",
        None,
        Engagement(0, 0, "https://www.reddit.com/comments/1"),
    )
    assert article.published_at_estimated


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (post(kind="t5"), "not_a_post"),
        (post(over_18=True), "nsfw"),
        (post(removed_by_category="moderator"), "removed"),
        (post(banned_by="somebody"), "removed"),
        (post(title="[deleted by user]"), "removed"),
        (post(is_self=True, selftext="[removed]"), "removed"),
        (post(promoted=True), "promoted"),
        (post(name=None), "bad_id"),
        (post(name="t1_1abc"), "bad_id"),
        (post(url="javascript:x", permalink=None), "bad_url"),
        (post(is_self=True, permalink=".evil.example/"), "bad_url"),
        (post(title=""), "no_title"),
        ({"kind": "t3"}, "bad_id"),
        (None, "not_an_object"),
    ],
)
def test_bad_post_is_left_out_and_counted(bad: object, reason: str) -> None:
    """Such a post must not or cannot be shown. The 49 good posts are kept."""
    page = read(*[post()] * 49, bad)
    assert (len(page.articles), page.returned, page.dropped) == (49, 50, {reason: 1})


@pytest.mark.parametrize(
    ("headers", "pause_s"),
    [
        ({}, 0.0),
        ({"x_ratelimit_remaining": "599.0", "x_ratelimit_reset": "100"}, 0.0),
        ({"x_ratelimit_remaining": "0.0", "x_ratelimit_reset": "100"}, 100.0),
        ({"x_ratelimit_remaining": "-1", "x_ratelimit_reset": "0"}, 1.0),
        ({"x_ratelimit_remaining": "0", "x_ratelimit_reset": "999999"}, 3600.0),
        ({"x_ratelimit_remaining": "0"}, 60.0),
        ({"x_ratelimit_remaining": "nan", "x_ratelimit_reset": "100"}, 0.0),
    ],
)
def test_empty_rate_window_sets_the_pause(headers: dict[str, str], pause_s: float) -> None:
    """If the rate window has no calls left, the page says how long the window lasts."""
    assert read(post(), **headers).pause_s == pause_s


@pytest.mark.parametrize(
    ("status", "headers", "expected", "pause_s"),
    [
        (401, {}, Status.UNAUTHORIZED, None),
        (403, {}, Status.UNAUTHORIZED, None),
        (403, {"content_type": "text/html"}, Status.UNREACHABLE, 3600.0),
        (429, {}, Status.RATE_LIMITED, 60.0),
        (429, {"retry_after": "4"}, Status.RATE_LIMITED, 4.0),
        (
            429,
            {"x_ratelimit_remaining": "0.0", "x_ratelimit_reset": "42"},
            Status.RATE_LIMITED,
            42.0,
        ),
        (
            302,
            {"location": "https://www.reddit.com/subreddits/search?q=x"},
            Status.BAD_PAYLOAD,
            None,
        ),
        (522, {}, Status.UNREACHABLE, None),
    ],
)
def test_errors_become_refusals(
    status: int, headers: dict[str, str], expected: Status, pause_s: float | None
) -> None:
    """The status decides whatever the body is; the pause is the most exact that Reddit sent."""
    for body in ({"error": status}, b"<html>whoa there, pardner!", b""):
        found = SOURCE.read(reply(body, status, **headers), QUERY, NOW)
        assert isinstance(found, Refusal)
        assert (found.status, found.http_status, found.pause_s) == (expected, status, pause_s)


@pytest.mark.parametrize(
    ("body", "headers", "said"),
    [
        ({"reason": "private"}, {}, "subreddit is private"),
        ({"reason": "<b>\n"}, {}, "(HTTP 403)"),
        (
            {"error": 403},
            {"www_authenticate": 'Bearer realm="reddit", error="insufficient_scope"'},
            "insufficient_scope",
        ),
    ],
)
def test_403_names_its_reason(body: object, headers: dict[str, str], said: str) -> None:
    """The reason is a subreddit that is closed to us, or a missing permission."""
    found = SOURCE.read(reply(body, 403, **headers), QUERY, NOW)
    assert isinstance(found, Refusal)
    assert found.detail.endswith(said)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b'{"kind": "Listing", "data": {',
        {},
        {"kind": "Listing"},
        {"kind": "Listing", "data": {"children": 5}},
        {"kind": "t2", "data": {"children": []}},
    ],
)
def test_body_without_a_listing_is_bad_payload(body: object) -> None:
    """It is never an empty result."""
    found = SOURCE.read(reply(body), QUERY, NOW)
    assert isinstance(found, Refusal)
    assert found.status is Status.BAD_PAYLOAD


RECORDED = {
    "dallasrosin_r_worldnews": [(25, {})],
    "goreddit_duplicates": [(1, {}), (2, {})],
    "m101p_r_technology_2013": [(25, {})],
    "praw_api_info_url_2017": [(20, {"promoted": 4, "nsfw": 1})],
    "praw_domain_youtube_new_2016": [(100, {})],
    "praw_duplicates_2016": [(1, {}), (3, {})],
    "praw_front_best_2018": [(98, {"nsfw": 2})],
    "praw_front_controversial_2016": [(91, {"nsfw": 9})],
    "praw_front_new_2016": [(96, {"nsfw": 4})],
    "praw_multireddit_top_2016": [(100, {})],
    "praw_r_all_search_2016": [(6, {})],
    "praw_r_askreddit_hot_2016": [(98, {"nsfw": 2, "beyond_limit": 2})],
    "praw_r_popular_hot_2026_04": [(100, {})],
    "praw_top_all_2020": [(100, {})],
}
"""Articles and dropped rows by file.

They were counted in the recordings by over_18, promoted and position. One of the five promoted
posts of 2017 is also not safe for work. One of the three such posts on r/askreddit is beyond the
first hundred.
"""


@needs_shared
def test_recorded_posts_become_articles() -> None:
    """Left out are only posts that are not safe for work, promoted, or beyond the hundredth."""
    seen: dict[str, list[tuple[int, dict[str, int]]]] = {}
    for name, body in recorded_bodies("reddit"):
        page = SOURCE.read(reply(body), QUERY, NOW)
        assert isinstance(page, SourcePage)
        seen.setdefault(name, []).append((len(page.articles), dict(page.dropped)))
        assert not any(article.published_at_estimated for article in page.articles)
        assert not any("redd.it" in article.url for article in page.articles)
        if name == "praw_r_popular_hot_2026_04":
            own = [
                article
                for article in page.articles
                if article.canonical_url.startswith("https://reddit.com/comments/")
            ]
            assert len(own) == 94
            assert all(
                article.canonical_url.endswith("/" + article.external_id[3:]) for article in own
            )
    assert seen == RECORDED


@needs_shared
def test_recorded_exchanges_have_their_status() -> None:
    """The search returns its posts; each other exchange is a refusal with its reason."""
    by_code = {401: Status.UNAUTHORIZED, 403: Status.UNAUTHORIZED, 429: Status.RATE_LIMITED}
    for name, response in recorded_exchanges("reddit"):
        found = SOURCE.read(response, QUERY, NOW)
        if name == "search_r_all_full_exchange_2016":
            assert isinstance(found, SourcePage)
            assert len(found.articles) == 6
            continue
        expected = (
            Status.UNREACHABLE
            if response.status >= 500 or "network_block" in name
            else by_code.get(response.status, Status.BAD_PAYLOAD)
        )
        assert isinstance(found, Refusal)
        assert (name, found.status) == (name, expected)
        if name == "api_429_html_retry_after":
            assert found.pause_s == 4.0
