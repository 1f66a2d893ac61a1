"""No line of the log shows a secret, in any spelling.

The rest stays readable, and JSON stays JSON.
"""

import json
import re
from functools import partial
from urllib.parse import quote, unquote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsintel.domain.security import redactor
from newsintel.domain.security.redactor import Redactor
from newsintel.http.server.log import MAX_PATH_CHARS
from tests.steps import ALLOWED, LONGEST_MS, cost_ns, in_ms
from tests.values import unhurried

SECRETS = [
    "planted-key-0123456789",
    "with space inside",
    'quo"ted-secret',
    "back\\slash\\secret",
    "tick'ed-secret",
    "schlüssel-für-alle",
    "p@ss/w:rd?&#secret",
    "per%40cent-secret",
    "line\nbreak-secret",
    "1234567890",
    "e-mail@example.org",
    "😀😀😀😀😀😀😀😀",
]
"""Typical secrets, among them one for each character that some encoding changes."""


def spellings(secret):
    """The spellings of a secret in messages.

    It is unchanged, in a dict's repr, in a URL, or in JSON that a library quotes.
    """
    return [
        f"failed with {secret}",
        repr({"key": secret}),
        f"GET /x?k={quote(secret, safe='')}",
        f"GET /{quote(secret)}",
        json.dumps([secret]),
    ]


@pytest.mark.parametrize("secret", SECRETS)
def test_known_secret_is_starred_in_every_spelling(secret):
    """In text and in JSON. The text around it stays."""
    for message in spellings(secret):
        text = Redactor([secret], as_json=False)(f"before {message} after")
        line = Redactor([secret], as_json=True)(json.dumps({"event": message, "status": 200}))
        told = json.loads(line)
        for found in (text, told["event"]):
            assert "***" in found, message
            assert not any(spelt in found for spelt in spellings(secret))
        assert text.startswith("before ")
        assert text.endswith(" after")
        assert told["status"] == 200


@pytest.mark.parametrize(
    ("secret", "line", "expected"),
    [
        (
            "news",
            "newsintel reads news from renewsed news_x",
            "newsintel reads *** from renewsed news_x",
        ),
        ("pw", "pw: spwan pw's", "***: spwan ***'s"),
        ("news", "postgresql://news:news@h", "postgresql://***:***@h"),
        ("longer-than-8", "prefixlonger-than-8suffix", "prefix***suffix"),
    ],
)
def test_short_secret_is_starred_as_a_word_only(secret, line, expected):
    """It is a secret that production would refuse, so it is not starred inside other words.

    A longer one is starred everywhere.
    """
    assert Redactor([secret], as_json=False)(line) == expected


def test_short_secret_at_the_start_of_a_line_in_json():
    """The letter of an escaped line break does not belong to the word."""
    assert (
        json.loads(Redactor(["pw"], as_json=True)(json.dumps({"exception": "a\npw\tpw b"})))[
            "exception"
        ]
        == "a\n***\t*** b"
    )


@pytest.mark.parametrize("secret", ["200", "true", "null", "event", "level", '": "', '", "', "{}"])
def test_secret_that_looks_like_json_breaks_no_line(secret):
    """Names of members, numbers and the signs between them are never starred."""
    members = {
        "event": f"it is {secret} here",
        "level": "info",
        "status": 200,
        "done": True,
        "none": None,
    }
    line = json.loads(Redactor([secret], as_json=True)(json.dumps(members)))
    assert list(line) == list(members)
    assert (line["status"], line["done"], line["none"]) == (200, True, None)
    assert secret not in line["event"]


UNKNOWN = "k" * 43
SPELT = [
    f"tried ni_{UNKNOWN} twice",
    f"Cookie: newsintel_dev={UNKNOWN}; other=1",
    f"__Host-newsintel={UNKNOWN}",
    f"newsintel-leaving={UNKNOWN}",
    f"newsintel_leaving_dev={UNKNOWN}",
    f"GET /auth/reddit/callback?state={UNKNOWN}&code={UNKNOWN}",
    f"GET https://x.example/search?api-key={UNKNOWN}&q=1",
    f"GET https://x.example/search?apiKey={UNKNOWN}",
    f"GET https://x.example/search?API_KEY={UNKNOWN}",
    f'{{"id_token": "{UNKNOWN}", "code_verifier": "{UNKNOWN}"}}',
    f"{{'access_token': '{UNKNOWN}', 'refresh_token': '{UNKNOWN}'}}",
    f"client_secret={UNKNOWN}",
    f"password: {UNKNOWN}",
    f"Authorization: Bearer {UNKNOWN}",
    f"authorization=Basic {UNKNOWN}",
    f'{{"Authorization": "bearer {UNKNOWN}"}}',
    f"redis://u:{UNKNOWN}@cache.example:6379/0",
]
"""Secrets that are in no setting."""


@pytest.mark.parametrize("message", SPELT)
def test_asvs_27_unknown_secret_is_starred_by_its_spelling(message):
    """Keys, cookies, states, codes, tokens and passwords.

    Also within JSON, where the quotes around them are escaped.
    """
    text = Redactor([], as_json=False)(message)
    line = Redactor([], as_json=True)(json.dumps({"event": message}))
    assert "kkk" not in text
    assert "***" in text
    assert "kkk" not in json.loads(line)["event"]


KEY, SESSION = "ni_" + "kK7" * 14 + "k", "kK7" * 14 + "k"


def encoded(text, *, times=1, only=None):
    """Percent-encode some characters of a text."""
    for _ in range(times):
        text = "".join(
            f"%{ord(char):02x}" if only is None or char in only else char for char in text
        )
        only = "%"
    return text


PASTED = [
    f"GET /{KEY}",
    f"GET /{encoded(KEY, only='n')}",
    f"GET /{encoded(KEY, only='i_')}",
    f"GET /{encoded(KEY, only='n').upper().replace('KK7', 'kK7')}",
    f"GET /{encoded(KEY, only='nk')}",
    f"GET /{encoded(KEY)}",
    f"GET /{encoded(KEY, times=2)}",
    f"GET /a%2F{KEY}/b",
    f"GET /{SESSION}",
    f"GET /{SESSION}?q=1",
    f"GET /a/{SESSION}/b",
    f"GET /a%2f{SESSION}",
    f"GET /{encoded(SESSION, only='7')}",
    f"GET /{encoded(SESSION)}/b",
    f"GET /{encoded(SESSION, times=2)}",
    f"http://localhost/{SESSION}",
]
"""Keys and sessions in a path, in the spellings that a path may have (RFC 3986, 2.1)."""


PIECES = [
    "%2541", "%252541", "%25252541", "%2561", "%41", "%25", "%2525", "%", "%6", "%2F", "%2f",
    "%252F", "%2525252F", "%" + "25" * 60 + "41",
    "a", "A", "aA", "/", "/Aa", "ni_", "n%2569_", "%6e%69%5f", "%6Ei_", "%2Faa", "%2F%2541a",
    "aA%2F", "/a%41", "aA" * 21 + "/",
    "key=", "password = ", "token\\", "?code=", "bearer ", "authorization:", "newsintel=", "://",
    "://a:", "://a:b@", '"', "\\", "n%256",
]  # fmt: skip
"""What the rules look for, and what is similar to it."""


@pytest.mark.parametrize("as_json", [True, False])
@pytest.mark.parametrize("before", ["", "/Aa", "ni_", "/%2Fni_"])
def test_every_line_is_redacted_in_time(before, as_json):
    """Anybody can request a path of such pieces.

    Such a path once blocked the loop until the process was killed.
    """
    redact = Redactor(SECRETS, as_json=as_json)
    lines = [
        json.dumps({"path": (before + piece * MAX_PATH_CHARS)[:MAX_PATH_CHARS]}) for piece in PIECES
    ]
    slowest_ns = max(min(cost_ns(partial(redact, line)) for _ in range(3)) for line in lines)
    assert in_ms(slowest_ns) < ALLOWED * LONGEST_MS


@pytest.mark.parametrize("message", PASTED)
def test_a_secret_in_a_path_is_starred(message):
    """In any encoding. At most a small part of it may remain."""
    for text in (
        Redactor([], as_json=False)(message),
        json.loads(Redactor([], as_json=True)(json.dumps({"path": message})))["path"],
    ):
        assert "***" in text
        assert not re.search("(?:kK7){3}", unquote(unquote(text)))


@pytest.mark.parametrize(
    "path",
    [
        "/articles/a_" + "abcdefghij" * 2,
        "/news/" + "a-headline-of-words-" * 2 + "end",
        "/news/" + "Of-Both-Cases-" * 3 + "longer",
        "/sha256/" + "0123456789abcdef" * 4,
        "/omni_short",
    ],
)
def test_other_paths_stay_readable(path):
    """Ids, headlines and digests."""
    assert Redactor([], as_json=False)(f"GET {path}") == f"GET {path}"


def test_members_that_are_not_strings_are_kept():
    """`null`, a number or a list is not a secret, and stars there would not be JSON."""
    members = {
        "password": None,
        "api_key": 12,
        "access_token": True,
        "client_secret": ["a"],
        "token": "x",
    }
    assert json.loads(Redactor([], as_json=True)(json.dumps(members))) == members


def test_ports_and_addresses_stay_readable():
    """A port is not a password."""
    assert (
        Redactor([], as_json=False)("on http://127.0.0.1:8000, mail a@b.org")
        == "on http://127.0.0.1:8000, mail a@b.org"
    )


lightly = settings(unhurried, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
values = st.one_of(
    st.text(max_size=12),
    st.integers(),
    st.booleans(),
    st.none(),
    st.sampled_from([*SPELT, *SECRETS]),
)
lines = st.dictionaries(
    st.sampled_from(["event", "password", "api_key", "state", "reason", "authorization", "x"]),
    values,
    max_size=4,
)


@lightly
@given(
    lines,
    st.lists(st.one_of(st.text(min_size=1, max_size=12), st.sampled_from(SECRETS)), max_size=3),
)
def test_json_stays_json(members, secrets):
    """For any members and secrets.

    The members are the same, and every value that is not a string is unchanged.
    """
    line = json.loads(Redactor(secrets, as_json=True)(json.dumps(members)))
    assert list(line) == list(members)
    assert all(line[name] == value for name, value in members.items() if not isinstance(value, str))
    for secret in secrets:
        if len(secret) >= redactor.SHORT and "*" not in secret:
            assert not any(secret in value for value in line.values() if isinstance(value, str))


@lightly
@given(st.one_of(st.text(max_size=40), st.sampled_from(SPELT), st.from_regex(redactor._SPELLINGS)))
def test_every_line_that_the_patterns_match_has_a_trigger(line):
    """The fast check for triggers skips no line that the patterns match."""
    if redactor._SPELLINGS.search(line):
        assert any(trigger in line.lower() for trigger in redactor._TRIGGERS), re.escape(line)
