"""Which addresses may be shown, and which lead to the same page."""

import base64
import hashlib
import re
from urllib.parse import quote, urlsplit

import ada_url
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from newsintel.domain.search.article import Article
from newsintel.domain.search.outcome import SourcePage
from newsintel.domain.text.safe_urls import get_host, sanitize_url
from newsintel.domain.text.urls import canonicalize_url, make_article_id, make_stand_in
from newsintel.outbound.sources import REGISTRY
from tests.outbound.sources.replies import NOW, QUERY, recorded_bodies, reply
from tests.shared import needs_shared

ANY_TEXT = st.text(alphabet=st.characters(codec=None, categories=None), max_size=80)
PIECES = st.sampled_from(
    re.split(
        " ",
        "https:// http:// www. m. amp. google.com /url?q= /amp /amp/s/ / // ? & = % %41 %2 + "
        "example.org .co.uk guardian.co.uk youtu.be/ youtube.com/watch?v= attribution_link?u=/ "
        "vk.com/away.php?to= a ä redd.it/ old.reddit.com/r/x/comments/ 1abc utm_source=x # :80 . "
        "x.cdn.ampproject.org/c/ consent.yahoo.com/ #/ #! #/story/1 ! :~: "
        "straßenblatt.de 例え.テスト bloomberg.com/tosv2.html?url= L2E= nytimes.com/glogin?URI= "
        "login?next= gdpr-consent /amp/ edition.cnn.com/ storyID= .tsrc=rss cid=sm_",
    )
)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("https://example.org/a", "https://example.org/a"),
        ("  HTTP://Example.ORG:8080/A  ", "http://example.org:8080/A"),
        (r"https://example.org/story?id\u003d114\u0026b=1", "https://example.org/story?id=114&b=1"),
        ("https://example.org/?a=1&amp;b=2&amp;amp;c=3", "https://example.org/?a=1&b=2&c=3"),
        ("https://example.org/\t\t/news/a b\n", "https://example.org//news/a%20b"),
        ("https://müller.example/ä?b=ü", "https://xn--mller-kva.example/%C3%A4?b=%C3%BC"),
        ("https://example.org./x%7e%zz%2f", "https://example.org/x~%25zz%2F"),
        ("https://straßenblatt.de/1", "https://xn--straenblatt-y6a.de/1"),
        ("https://ΣΑΣ-1.example/", "https://xn---1-b9b5eb.example/"),
        ("https://ex%61mple\u3002org:443/", "https://example.org:443/"),
        ("https://example.org/#/story/ä", "https://example.org/#/story/%C3%A4"),
    ],
)
def test_usable_repairs_addresses(raw: str, expected: str) -> None:
    """It repairs the known faults of upstreams and writes the rest in ASCII."""
    assert sanitize_url(raw) == expected


@given(st.sampled_from(["http", "https"]), st.lists(PIECES | ANY_TEXT.map(lambda it: it[:3])))
@example("https", ["example.org", "/?a=1&Amp;b=2"])
@example("https", ["example.org", "/" + "x" * 3_000])
@example("https", ["EXAMPLE.org.:80", '/a|b^c`d{e}f[g]#h"i'])
def test_a_plain_url_is_recognised(scheme: str, pieces: list[str]) -> None:
    """A URL that is accepted after one look is what every step of the repair makes of it.

    A scheme in capitals is never accepted at once, and its repair is nothing but lower case.
    """
    rest = "://" + "".join(pieces)
    assert sanitize_url(scheme + rest) == sanitize_url(scheme.upper() + rest)


UNSAFE = [
    "", "x", "/relative", "//example.org/", "javascript:alert(1)", "java\tscript:alert(1)",
    "data:text/html,x", "ftp://example.org/",
    "https://user@example.org/", "https://user:word@example.org/",
    "https://example.org\\@evil.example/", "http://localhost/",
    "http://127.0.0.1/", "http://0x7f.1/", "http://[::1]/", "http://[::1",
    "https://example.org:99999/", "https:///x",
    "http:example.org", "https://exa mple.org/", "https://example.org/\x00",
    "https://example.org/\ud800", 'https://example.org/">',
    "https://-x.example/", "https://" + "ä" * 80 + ".example/", "https://example.org/" + "a" * 2048,
    "https://example.org/" + "a" * 5000,
    "https://example.org/" + "ä" * 500, "https://example.org\u2100/",
]  # fmt: skip


@pytest.mark.parametrize("raw", UNSAFE)
def test_usable_refuses_unsafe_addresses(raw: str) -> None:
    """Only a bounded http(s) address of a registered host is usable.

    It must have no credentials and no control characters.
    """
    assert sanitize_url(raw) is None


@pytest.mark.parametrize(
    ("expected", "spellings"),
    [
        (
            "https://example.org/a?x=1&y=2",
            [
                "http://www.example.org/a/?y=2&x=1#top",
                "https://m.example.org:443/a?x=1&y=2&utm_source=t&UTM_Medium=x&fbclid=1&partner=rss&emc=rss",
                "https://amp.example.org:80/a/amp?x=1&y=2&amp=1&at_medium=RSS&at_campaign=rss&smid=tw&ocid=x&CMP=share",
                "https://example.org//a.amp.html?&x=1&&y=2",
                "https://mobile.www.example.org/%61/amp/?x=1&amp;y=2",
                "https://www.google.com/url?sa=t&q=https://example.org/a?x%3D1%26y%3D2",
                "https://l.facebook.com/l.php?u=https%3A%2F%2Fexample.org%2Fa%3Fx%3D1%26y%3D2&h=AT",
                "https://out.reddit.com/t3_1abc?url=https%3A%2F%2Fexample.org%2Fa%3Fx%3D1%26y%3D2",
                "https://www.google.co.uk/amp/s/www.example.org/a/amp?x=1&y=2",
                "https://example-org.cdn.ampproject.org/c/s/example.org/a?y=2&x=1",
            ],
        ),
        (
            "https://example.org/?q=a%20b",
            ["https://example.org?q=a+b", "https://example.org/?q=a%20b"],
        ),
        ("https://ft.example/", ["https://www.ft.example", "http://ft.example/"]),
        (
            "https://example.org/#/story/1",
            [
                "https://example.org#/story/1",
                "http://www.example.org/?utm_source=x#/story/1/",
                "https://example.org/#/story/1?utm_medium=y",
                "https://example.org/#/story/1#comments",
                "https://example.org/#/story/1:~:text=rain",
            ],
        ),
        (
            "https://example.org/app#!story/1?a=1&b=2",
            ["https://m.example.org/app/#!story/1?b=2&a=1"],
        ),
        (
            "https://example.org/a",
            [
                f"https://example.org/a{end}"
                for end in (
                    "#",
                    "#/",
                    "#!",
                    "#!/",
                    "#comments",
                    "#story/1",
                    "#:~:text=x",
                    "#top?x=/1",
                    "#p12",
                )
            ],
        ),
        (
            "https://nytimes.com/2026/01/01/a-b.html",
            [
                "https://www.nytimes.com/2026/01/01/a-b.html#/x",
                "https://nytimes.com/2026/01/01/a-b.html#!x",
            ],
        ),
        (
            "https://xn--straenblatt-y6a.de/1",
            [
                "https://straßenblatt.de/1",
                "https://www.STRAẞENBLATT.de/1/",
                "https://xn--straenblatt-y6a.de/1",
            ],
        ),
        ("https://m.co.uk/", ["https://m.co.uk/"]),
        (
            "https://bbc.com/news/1",
            ["https://m.bbc.co.uk/news/1", "https://www.bbc.com/news/1?at_medium=RSS&page=2"],
        ),
        (
            "https://theguardian.com/a/b-c",
            [
                "http://www.guardian.co.uk/a/b-c",
                "https://amp.theguardian.com/a/b-c?CMP=x&page=with:block-1",
            ],
        ),
        (
            "https://youtube.com/watch?v=AbC_1-2",
            [
                "https://youtu.be/AbC_1-2?t=10",
                "https://www.youtube.com/watch?feature=youtu.be&v=AbC_1-2&list=PL1",
                "https://m.youtube.com/shorts/AbC_1-2",
                "https://www.youtube.com/supported_browsers?next_url=https:%2F%2Fwww.youtube.com%2Fwatch%3Fv%3DAbC_1-2",
                "http://www.youtube.com/attribution_link?a=x&u=%2Fwatch%3Fv%3DAbC_1-2%26feature%3Dshare",
            ],
        ),
        ("https://youtube.com/watch", ["https://www.youtube.com/watch"]),
        (
            "https://reddit.com/comments/1abc",
            [
                "https://old.reddit.com/r/news/comments/1abc/a_slug/",
                "https://www.reddit.com/gallery/1abc",
                "https://redd.it/1abc",
                "https://np.reddit.com/user/x/comments/1ABC",
            ],
        ),
        ("https://reddit.com/r/news", ["https://www.reddit.com/r/news/"]),
        (
            "https://news.google.com/articles/CBMi_x-1",
            [
                "https://news.google.com/rss/articles/CBMi_x-1?oc=5&hl=en",
                "https://news.google.com/__i/rss/rd/articles/CBMi_x-1?oc=5",
                "https://news.google.com/read/CBMi_x-1",
            ],
        ),
        ("https://google.com/url?q=nowhere", ["https://www.google.com/url?q=nowhere"]),
        ("https://google.com/amp/s/localhost", ["https://www.google.com/amp/s/localhost"]),
        ("not a url", ["not a url"]),
    ],
)
def test_canonical_is_one_for_all_spellings(expected: str, spellings: list[str]) -> None:
    """Every spelling of a page gets the same identity."""
    assert [canonicalize_url(spelling) for spelling in spellings] == [expected] * len(spellings)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://example.org/?id=1", "https://example.org/?id=2"),
        ("https://example.org/A", "https://example.org/a"),
        (
            "https://news.google.com/rss/articles/CBMiA?oc=5",
            "https://news.google.com/rss/articles/CBMiB?oc=5",
        ),
        ("https://example.org:8080/", "https://example.org/"),
        ("https://example.org/a%2Fb", "https://example.org/a/b"),
        ("https://blog.example.org/", "https://example.org/"),
        ("https://example.org/#/story/1", "https://example.org/#/story/2"),
        ("https://example.org/#/story/1", "https://example.org/"),
        ("https://example.org/#!story/1", "https://example.org/#!story/2"),
        ("https://example.org/#/story?id=1", "https://example.org/#/story?id=2"),
        ("https://straßenblatt.de/1", "https://strassenblatt.de/1"),
        ("https://βόλος.example/", "https://βόλοσ.example/"),
        ("https://نامه\u200cای.example/", "https://نامهای.example/"),
    ],
)
def test_canonical_keeps_pages_apart(one: str, other: str) -> None:
    """An address that may be another page keeps its own identity."""
    assert canonicalize_url(one) != canonicalize_url(other)


WALLED = "L25ld3MvYXJ0aWNsZXMvMjAyNC0wNS0wMS9mZWQtaG9sZHM="
"""`/news/articles/2024-05-01/fed-holds`, as Bloomberg's bot wall names the page behind it."""
WALLED_PAGE = "/news/articles/2024-05-01/fed-holds"


@pytest.mark.parametrize(
    ("site", "wall", "page"),
    [
        ("bloomberg.com", f"/tosv2.html?vid=&uuid=1-2&url={WALLED}", WALLED_PAGE),
        ("bloomberg.com", f"/tosv2.html?url={WALLED.rstrip('=')}&uuid=3", WALLED_PAGE),
        ("bloomberg.com", f"/tosv2.html?url={WALLED.replace('=', '%3D')}", WALLED_PAGE),
        (
            "nytimes.com",
            "/glogin?URI=https%3A%2F%2Fwww.nytimes.com%2F2024%2Fus%2Fa.html&OQ=Q",
            "/2024/us/a.html",
        ),
        ("nytimes.com", "/glogin?URI=http://www.nytimes.com/2012/us/a.html", "/2012/us/a.html"),
        (
            "washingtonpost.com",
            "/gdpr-consent/?next_url=https%3a%2f%2fwww.washingtonpost.com%2fa%2ffed-1%2f",
            "/a/fed-1",
        ),
        ("washingtonpost.com", "/gdpr-consent/?destination=%2fa%2ffed-1%2f%3f", "/a/fed-1"),
        ("washingtonpost.com", "/tribes/gdpr-consent/?destination=%2fa%2ffed-1", "/a/fed-1"),
        ("example.org", "/gdpr-consent?url=https%3A%2F%2Fexample.org%2Fa%3Fid%3D1", "/a?id=1"),
        ("example.org", "/signin?next=%2Fa%2Fb", "/a/b"),
        ("example.org", "/users/Sign-In?Return_URL=/a", "/a"),
        ("bloomberg.com", "/login?next=/a-1", "/a-1"),
    ],
)
def test_a_wall_that_names_its_page_is_that_page(site: str, wall: str, page: str) -> None:
    """Logins, consent pages and bot walls, where a parameter holds the page behind them."""
    assert canonicalize_url(f"https://www.{site}{wall}") == f"https://{site}{page}"


def test_a_wall_may_be_on_a_host_below_its_site() -> None:
    """Some sites have a host for signing in."""
    target = "https%3A%2F%2Fwww.nytimes.com%2F2024%2Fus%2Fa.html"
    wall = f"https://myaccount.nytimes.com/auth/login?response_type=cookie&redirect_uri={target}"
    assert canonicalize_url(wall) == "https://nytimes.com/2024/us/a.html"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("bloomberg.com/tosv2.html?url=4pyT", "bloomberg.com/tosv2.html?url=4pyU"),
        ("bloomberg.com/tosv2.html?uuid=1", "bloomberg.com/tosv2.html?uuid=2"),
        ("bloomberg.com/tosv2.html?url=!!!1", "bloomberg.com/tosv2.html?url=!!!2"),
        ("nytimes.com/glogin?URI=1", "nytimes.com/glogin?URI=2"),
        (
            "washingtonpost.com/gdpr-consent/?destination=1",
            "washingtonpost.com/gdpr-consent/?destination=2",
        ),
        ("reuters.com/article/newsOne?storyID=1", "reuters.com/article/newsOne?storyID=2"),
        ("cnn.com/search?q=rain", "cnn.com/search?q=snow"),
        ("theguardian.com/world?page=1", "theguardian.com/world?page=2"),
        ("wsj.com/log-in?target=1", "wsj.com/log-in?target=2"),
        ("evil.example/login?url=https://bbc.com/news/1", "bbc.com/news/1"),
        ("a.co.uk/login?url=https://b.co.uk/1", "b.co.uk/1"),
        ("example.org/login?url=https://example.org.evil.example/1", "example.org.evil.example/1"),
    ],
)
def test_walls_and_indexes_do_not_merge(one: str, other: str) -> None:
    """A path that names no article keeps its query, and a wall names only pages of its own site."""
    assert canonicalize_url(f"https://{one}") != canonicalize_url(f"https://{other}")


@pytest.mark.parametrize(
    ("spelling", "page"),
    [
        (
            "edition.cnn.com/2024/05/01/tech/x/index.html?cid=sm_x",
            "cnn.com/2024/05/01/tech/x/index.html",
        ),
        ("cnn.com/2024/05/01/tech/x-y/index.html?iid=1", "cnn.com/2024/05/01/tech/x-y/index.html"),
        (
            "reuters.com/article/newsOne?storyID=1&feedType=RSS&feedName=topNews",
            "reuters.com/article/newsOne?storyID=1",
        ),
        ("reuters.com/article/us-fed-idUSKBN1?il=0", "reuters.com/article/us-fed-idUSKBN1"),
        ("example.org/amp/news/1", "example.org/news/1"),
        ("example.org/amp/news/1/amp/", "example.org/news/1"),
        ("example.org/AMP/amp/news/1", "example.org/news/1"),
        ("bbc.co.uk/news/amp/world-1", "bbc.com/news/world-1"),
        (
            "amp.cnn.com/cnn/2024/05/01/tech/x-y/index.html",
            "cnn.com/2024/05/01/tech/x-y/index.html",
        ),
        ("example.org/amp", "example.org/"),
        ("example.org/ampere/1", "example.org/ampere/1"),
    ],
)
def test_editions_and_amp_paths_are_one_page(spelling: str, page: str) -> None:
    """Another edition, a feed's parameters, and AMP at the beginning of a path."""
    assert canonicalize_url(f"http://www.{spelling}") == f"https://{page}"


# Of the list of ClearURLs (Rules, globalRules), all names that are not too short to be clear.
PUBLISHED = (
    "utm_x utm_campaign mtm_x ga_source yclid _openstat fb_action_types fb_action_ids fb_source "
    "fb_ref fbclid action_object_map action_type_map action_ref_map gs_l mkt_tok hmb_campaign "
    "hmb_medium hmb_source gclid srsltid otm_x cmpid os_ehash _ga _gl __twitter_impression wt_mc "
    "wt_zmc wtrid dclid Echobox tracking_source ceneo_spo itm_campaign itm_medium itm_source "
    "__hsfp __hssc __hstc _hsenc hsCtaTracking mc_eid mc_cid mc_tc ml_subscriber "
    "ml_subscriber_hash msclkid oly_anon_id oly_enc_id rb_clickid s_cid vero_conv vero_id wickedid "
    "twclid xtor intcid sr_share guccounter guce_referrer guce_referrer_sig smid taid __source CMP"
)


@pytest.mark.parametrize(
    "pair",
    [f"{name}=1" for name in PUBLISHED.split()]
    + ["partner=rss", "partner=yahoo", "DCMP=OTC-RSS", "csp=34news", "intcid=inl", ".tsrc=rss"]
    + ["traffic_source=Connatix", "ns_mchannel=social", "ns_source=twitter", "ns_campaign=bbc"]
    + ["cid=sm_fb", "cid=SM_npd", "cid=rss", "intcmp=x", "amp_js_v=a6", "amp_gsa=1", "usqp=mq331"],
)
def test_tracking_is_no_part_of_a_page(pair: str) -> None:
    """The published list of another project, and what outlets' own feeds add."""
    assert canonicalize_url(f"https://example.org/a?{pair}&id=7") == "https://example.org/a?id=7"


@pytest.mark.parametrize(
    "pair", ["cid=7", "p=1", "page=2", "story=sm_1", "source=npr", "ref=a", "tsrc2=1", "csp_id=3"]
)
def test_what_may_name_a_page_stays(pair: str) -> None:
    """Names that sites use for the page itself."""
    assert canonicalize_url(f"https://example.org/a?{pair}") == f"https://example.org/a?{pair}"


@given(ANY_TEXT | st.lists(PIECES, max_size=14).map("".join))
def test_canonical_is_idempotent(raw: str) -> None:
    """Canonicalising never raises, and repeating it changes nothing."""
    once = canonicalize_url(raw)
    assert canonicalize_url(once) == once
    assert make_article_id(once).startswith("a_")


@given(ANY_TEXT | st.lists(PIECES, max_size=14).map("".join))
def test_usable_is_idempotent(raw: str) -> None:
    """A usable address is plain ASCII, and repairing it again changes nothing."""
    url = sanitize_url(raw)
    assert url is None or (url.isascii() and sanitize_url(url) == url)


JUNK = st.sampled_from(
    ["/", "\t", "[", "]", "x", "@", ":", "\\", "//", "%", "http:", "\u2100", "999999"]
)


@pytest.mark.parametrize(
    "where",
    [
        "https://www.google.com/url?q=",
        "https://out.reddit.com/x?url=",
        "https://youtube.com/supported_browsers?next_url=",
    ],
)
@given(st.lists(JUNK, max_size=8).map("".join))
@example("/\t/[x")
@example("/\r//[")
@example("/\n/a]b")
@example("//[")
@example("/\t/\u2100")
def test_a_redirect_with_any_target_has_a_canonical_form(where: str, target: str) -> None:
    """A link may give anything as its target.

    The target is followed or not; the result is canonical in both cases.
    """
    found = canonicalize_url(where + quote(target))
    assert canonicalize_url(found) == found


def test_stand_in_identifies_pages_behind_a_session() -> None:
    """The session of a consent page does not split one page, and does not join different pages."""
    first = make_stand_in(
        "https://consent.yahoo.com/v2/collectConsent?sessionId=1_a", "Shares  Rise", "2024-05-01"
    )
    assert first is not None
    assert first == make_stand_in(
        "https://consent.yahoo.com/v2/collectConsent?sessionId=1_b", "shares rise", "2024-05-01"
    )
    assert first != make_stand_in(
        "https://consent.yahoo.com/v2/collectConsent?sessionId=1_a", "Shares fall", "2024-05-01"
    )
    assert first != make_stand_in(
        "https://consent.yahoo.com/v2/collectConsent?sessionId=1_a", "Shares rise", "2024-05-02"
    )
    assert canonicalize_url(first) == first
    walls = [f"https://guce.techcrunch.com/copyConsent?sessionId={number}" for number in "12"]
    assert make_stand_in(walls[0], "A", "") == make_stand_in(walls[1], "A", "") is not None


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/?sessionId=1",
        "https://consent.youtube.com/m?continue=https://example.org/",
    ],
)
def test_stand_in_is_for_hidden_pages_only(url: str) -> None:
    """An address that shows its page needs no stand-in."""
    assert make_stand_in(url, "title", "2024-05-01") is None


@given(st.lists(PIECES, max_size=8).map("".join))
def test_host_is_that_of_the_standard_library(raw: str) -> None:
    """For every URL that may be shown."""
    if (url := sanitize_url(raw)) is not None:
        assert get_host(url) == urlsplit(url).hostname
    else:
        assert get_host("no URL") == ""


@given(
    st.sampled_from(["https://bbc.com", "http://x.example:81", "https://consent.yahoo.com"]),
    st.text(st.sampled_from("/?#:@&=aé%2[]")),
)
def test_host_ends_where_the_path_begins(start: str, rest: str) -> None:
    """Whatever follows it."""
    if (url := sanitize_url(start + rest)) is not None:
        assert get_host(url) == urlsplit(url).hostname


def test_article_id_is_fixed() -> None:
    """A public id never changes: 20 lower-case base32 characters of SHA-256."""
    assert make_article_id("https://example.org/") == "a_" + "qgmndowebiidgzj2pdsi"
    assert make_article_id("\ud800").startswith("a_")


@given(ANY_TEXT)
def test_article_id_is_base32_of_the_standard_library(text: str) -> None:
    """Each character stands for five bits, as `base64` writes them."""
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    assert make_article_id(text) == "a_" + base64.b32encode(digest)[:20].decode().lower()


@given(st.lists(PIECES, max_size=8).map("".join))
def test_a_browser_contacts_the_host_that_we_checked(raw: str) -> None:
    """This holds for the address that we publish and for the one that the upstream sent."""
    url = sanitize_url(raw)
    if url is not None:
        host = urlsplit(url).hostname
        assert ada_url.URL(url).hostname == host
        assert ada_url.URL(raw).hostname.removesuffix(".") == host


@needs_shared
def test_recorded_addresses_keep_their_ids() -> None:
    """One digest of all ids that an earlier version gave to the recorded articles.

    Ids never change.
    """
    ids = sorted(
        article.id
        for source in REGISTRY
        for _, body in recorded_bodies(source)
        for article in articles(source, body)
    )
    assert len(ids) == 1503
    assert (
        hashlib.sha256("\n".join(ids).encode()).hexdigest()
        == "2d5ca4c2089b561175b558ee337938ceed058bc1f7c2c0ef616f2c762a185f87"
    )


def articles(source: str, body: object) -> tuple[Article, ...]:
    """The articles of a recorded body, if it is the reply to a search."""
    page = REGISTRY[source].read(reply(body), QUERY, NOW)
    return page.articles if isinstance(page, SourcePage) else ()
