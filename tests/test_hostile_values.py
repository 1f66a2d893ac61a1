"""Any value in a path or body gives at most a 4xx that names it; what is accepted is returned.

The cases come from /openapi.json. jsonschema decides which values a path allows, Python's json what
is JSON. The service is the demo, on its own PostgreSQL and Redis.
"""

import itertools
import json
import re
from contextlib import contextmanager
from urllib.parse import unquote, urlencode

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from newsintel.http.request.form import FORM
from tests.http.pages.parsed_page import ParsedPage
from tests.service import running
from tests.waiting import PATIENCE_S

BIG = 2**64
MINE = (
    "/me",
    "/me/preferences",
    "/me/saved",
    "/me/history",
    "/me/keys",
    "/me/sessions",
    "/me/export",
    "/me/recommendations",
    "/me/searches",
)


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """One demo for all tests of this module."""
    with running(
        tmp_path_factory.mktemp("demo"), "demo", RATE_LIMIT="off", MISS_LIMIT="off"
    ) as service:
        yield service


@pytest.fixture(scope="module")
def document(demo):
    """The OpenAPI description of the service."""
    return demo.get("/openapi.json").json()


@contextmanager
def sign_in(demo, name):
    """A browser in which a person is signed in."""
    with httpx.Client(
        base_url=demo.url,
        trust_env=False,
        timeout=PATIENCE_S,
        headers={"Sec-Fetch-Site": "same-origin"},
    ) as browser:
        browser.post("/auth/dev/login", json={"username": name}).raise_for_status()
        yield browser


def operations(document, wanted):
    """Every method, path and description that `wanted` accepts."""
    return [
        (method.upper(), path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if wanted(operation)
    ]


def in_path(operation):
    """The path parameters of an operation."""
    return [parameter for parameter in operation["parameters"] if parameter["in"] == "path"]


PATH_VALUES = [
    "%00",
    "a%00b",
    "a_aaaaaaaaaaaaaaaaaaaa%00",
    "%00a_aaaaaaaaaaaaaaaaaaaa",
    "a_aaaaaaaaaaaaaaaaaaaa%0A",
    "a_aaaaaaaaaaaaaaaaaaaa",
    "A_AAAAAAAAAAAAAAAAAAAA",
    "a_aaaaaaaaaaaaaaaaaaa%D9%A3",
    "%ff",
    "%C0%80",
    "%ED%A0%80",
    "%EF%BF%BF",
    "%F0%9F%98%80",
    "%C3%A9",
    "%01%1f%7f",
    "%0d%0aX-Evil:%20yes",
    "%E2%80%AE",
    "%2e%2e",
    "%2e",
    "%2F",
    "a%2Fb",
    "%5c..%5c",
    "%25",
    "%2500",
    "%",
    "%zz",
    "%20",
    "+",
    "'%3B%20DROP%20TABLE%20users%3B--",
    "$(id)",
    "%7Bid%7D",
    "*",
    "null",
    "0",
    "-1",
    "1e400",
    str(BIG),
    "x" * 5000,
    "%00" * 1000,
]


def spread(values, place, share):
    """The values of one of many places. Every value goes to each `share`-th place.

    All values at all places take minutes; those tests are slow.
    """
    return [value for number, value in enumerate(values) if (number + place) % share == 0]


SHARES = [16, pytest.param(1, marks=pytest.mark.slow)]
"""One of 16 values at each place, or all."""


GOOD = {"channel": "1", "token": "A" * 43, "user": "-", "state": "starred"}
"""A good value for each parameter that shares its path with others."""
SIGNS_IN = "/compat/greader/accounts/ClientLogin"
"""It refuses a wrong password with 401."""


def fill_others(path: str) -> str:
    """A path of which one parameter has its value; the others of the same path get good ones."""
    for name, value in GOOD.items():
        path = path.replace(f"{{{name}}}", value)
    return path


@pytest.mark.parametrize("share", SHARES)
def test_every_path_value_is_validated_by_its_schema(demo, document, share):
    """Bytes that are not text give a 400 that names the parameter.

    Text that the description does not allow is refused.
    """
    failed, refused = [], 0
    with sign_in(demo, f"paths {share}") as browser:
        for place, (method, path, operation) in enumerate(operations(document, in_path)):
            cases = itertools.product(in_path(operation), spread(PATH_VALUES, place, share))
            for parameter, raw in cases:
                value = unquote(raw, errors="replace")
                response = browser.request(
                    method,
                    fill_others(path.replace(f"{{{parameter['name']}}}", raw)),
                    json={} if method == "PUT" else None,
                )
                if "/" in value:
                    good = response.status_code in (404, 405)
                elif not value.isprintable() or "\ufffd" in value:
                    good = response.status_code == 400 and named(response, parameter["name"])
                    refused += good
                elif Draft202012Validator(parameter["schema"]).is_valid(value):
                    good = response.status_code < 500 and not named(response, parameter["name"])
                else:
                    good = response.status_code == 404 or (
                        response.status_code == 400 and named(response, parameter["name"])
                    )
                    refused += good
                if not good:
                    failed.append(
                        (method, path, raw[:40], response.status_code, response.text[:200])
                    )
    assert failed == []
    assert refused > 400 / share


def named(response, name):
    """True if a problem names the parameter or member."""
    if response.headers.get("content-type", "").startswith("text/html"):
        words = " ".join(ParsedPage(response.text).texts(".lead, main li"))
        return response.status_code == 400 and name in re.findall(r"\w+", words)
    return response.status_code >= 400 and name in [
        error["field"] for error in response.json()["errors"]
    ]


BODY_VALUES = [
    "NaN", "Infinity", "-Infinity", "1e400", "-1e400", "1E+999999", "nan", "01", "+1", ".5", "1.",
    "0x10", "1_000", "٣",
    *(
        str(number)
        for number in (
            0, 2**53 + 1, 2**63 - 1, 2**63, BIG - 1, BIG,
            -(2**63), -(2**63) - 1, 10**20, 10**299, 10**400,
        )
    ),
    "9" * 5000,
    "-0", "-0.0", "1e-400", "5e-324", "1e300", "1e20", "1.7976931348623157e308", "0.1", "1e22",
    "-1e22", "123456789012345678.0",
    '"\\u0000"', '"a\\u0000"', '"\\ud800"', '"\\udc00\\ud800"', '"\\ud83d\\ude00"', '"\\uffff"',
    '"\\u202e"', '"\\u2028"', '"\\\\u0000"',
    '"\x00"', '"\n"', '"\x7f"', '""', '" "', '"é"', '"' + "x" * 4000 + '"',
    '"' + "x" * 10_001 + '"', '"' + "\U0001f600" * 2000 + '"',
    "true", "false", "null", "[]", "{}", "[null]", '{"":0}', '{"a":1,"a":2}', '{"a":{"b":1,"b":2}}',
    '{"\\u0000":1}', '{"\\ud800":1}',
    *("[" * depth + "]" * depth for depth in (1, 31, 32, 33, 1000, 10_000)),
    *('{"a":' * depth + "1" + "}" * depth for depth in (31, 32, 10_000)),
    "[" * 10_000,
    "'x'", "[1,]", "/**/1", "undefined", "", "1 2", '"', '"\\x41"', '"\\u12"',
    *(
        f'"{year}-01-01T00:00:00Z"'
        for year in ("0000", "0001", "1582", "1999", "2199", "2200", "9999", "10000")
    ),
    '"9999-12-31T23:59:59.999999999Z"', '"9999-12-31T23:59:59-14:00"',
    '"0001-01-01T00:00:00+14:00"', '"2199-12-31T23:59:59-01:00"',
    '"2030-02-30T00:00:00Z"', '"2030-01-01T24:00:00Z"', '"2016-12-31T23:59:60Z"', '"2030-01-01"',
    '"2030-01-01T00:00:00"', '"infinity"',
    '"2030-01-01T00:00:00.1234567890Z"', '"2030-01-01T00:00:00+99:99"', '"²030-01-01T00:00:00Z"',
]  # fmt: skip
RAW_BODIES = [
    b'{"%b": "\xff"}',
    b'\xef\xbb\xbf{"%b": 1}',
    b'{"%b": 1}\x00',
    b'{"%b": 1, "%b": 2}',
    b'\xff\xfe{\x00"\x00',
    b'["%b"]',
    b"",
]


def sample(schema):
    """A value that the schema allows."""
    if "anyOf" in schema:
        return sample(schema["anyOf"][0])
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("format") == "date-time":
        return "2100-01-01T00:00:00Z"
    return "abc" if schema.get("type") == "string" else 1


def is_json(operation):
    """Whether an operation takes JSON."""
    return "application/json" in operation.get("requestBody", {}).get("content", {})


def is_form(operation):
    """Whether an operation takes a form."""
    return FORM in operation.get("requestBody", {}).get("content", {})


@pytest.fixture
def article(demo):
    """The id of an article that exists."""
    return demo.search("climate").json()["articles"][0]["id"]


@pytest.mark.parametrize("share", SHARES)
def test_every_body_member_is_validated_by_its_schema(demo, document, article, share):
    """Invalid JSON, or a value that the member does not allow, gives a 400.

    After accepted values everything that the person has can still be read.
    """
    failed, taken, places = [], 0, itertools.count()
    for method, path, operation in operations(document, is_json):
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        nobodys = path.startswith("/me/searches/{id}")  # a search that does not exist
        at = path.replace("{key}", "any").replace("{article_id}", article)
        at = at.replace("{id}", "w_" + "a" * 20 if nobodys else article)
        for member, kind in schema["properties"].items():
            whole = {name: sample(of) for name, of in schema["properties"].items()}
            bodies = [
                json.dumps(whole | {member: "@"}).replace('"@"', text).encode()
                for text in BODY_VALUES
            ]
            bodies += [raw.replace(b"%b", member.encode()) for raw in RAW_BODIES]
            with sign_in(demo, f"body {member} {len(failed)} {share}") as browser:
                for body in spread(bodies, next(places), share):
                    cookies = {"Cookie": ""} if path.startswith("/auth") else {}
                    response = browser.request(
                        method,
                        at,
                        content=body,
                        headers={"Content-Type": "application/json", **cookies},
                    )
                    allowed = (
                        {200, 201, 204, 400, 404 if nobodys else 409, 409}
                        if (value := parsed(body)) is not None
                        else {400}
                    )
                    if value is not None and not Draft202012Validator(kind).is_valid(
                        value.get(member)
                    ):
                        allowed = {400}
                    if response.status_code not in allowed:
                        failed.append((method, path, member, body[:80], response.status_code))
                    taken += response.status_code < 300
                failed += [(mine, member) for mine in MINE if browser.get(mine).status_code != 200]
    assert failed == []
    assert taken > 50 / share


@pytest.mark.parametrize("share", SHARES)
def test_no_field_of_a_form_breaks_anything(demo, document, article, share):
    """Each value is taken or refused, and the person can still read everything afterwards."""
    failed, places = [], itertools.count()
    for method, path, operation in operations(document, is_form):
        schema = operation["requestBody"]["content"][FORM]["schema"]
        at = path.replace("{id}", article)
        for member in schema["properties"]:
            whole = {name: sample(of) for name, of in schema["properties"].items()}
            with sign_in(demo, f"form {member} {len(failed)} {share}") as browser:
                for text in spread(BODY_VALUES, next(places), share):
                    body = urlencode(whole | {member: text[:10_001]}, errors="surrogatepass")
                    response = browser.request(
                        method, at, content=body, headers={"Content-Type": FORM}
                    )
                    refused = response.status_code == 400
                    allowed = {200, 303, 400, 404, 409} | ({401} if path == SIGNS_IN else set())
                    if response.status_code not in allowed or (
                        refused and not any(named(response, one) for one in schema["properties"])
                    ):
                        failed.append((method, path, member, text[:80], response.status_code))
                failed += [(mine, member) for mine in MINE if browser.get(mine).status_code != 200]
    assert failed == []


def parsed(body):
    """The object in a body as Python's json reads it; None if the body is not valid JSON."""

    def refuse(name):
        raise ValueError(name)

    try:
        value = json.loads(body.decode(), parse_constant=refuse)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def test_latest_storable_date_is_accepted_and_later_ones_are_refused(demo):
    """Exact to the second: the rule of the body and that of the table are separate."""
    with sign_in(demo, "dates") as browser:
        made = {
            moment: browser.post(
                "/me/keys", json={"name": "a", "scope": "read", "expires_at": moment}
            )
            for moment in (
                "2199-12-31T23:59:59Z",
                "2200-01-01T00:00:00Z",
                "2199-12-31T23:59:59-01:00",
                "9999-12-31T23:59:59Z",
            )
        }
    assert [response.status_code for response in made.values()] == [201, 400, 400, 400]
    assert named(made["2200-01-01T00:00:00Z"], "expires_at")


# All spellings of a value in JSON, and some that JSON does not allow.
digits = st.integers(-(10**30), 10**30).map(str) | st.integers(1, 400).map(
    lambda number: "9" * number
)
numerals = (
    digits
    | st.floats().map(repr)
    | st.tuples(digits, st.integers(-420, 420)).map(lambda pair: f"{pair[0]}.5e{pair[1]}")
)
escapes = st.integers(0, 0xFFFF).map(lambda code: f'"\\u{code:04x}"')
texts = (
    st.text().map(json.dumps)
    | st.text(st.characters(exclude_categories=["Cs"])).map(
        lambda text: json.dumps(text, ensure_ascii=False)
    )
    | escapes
)
atoms = (
    st.sampled_from(["null", "true", "false", "-0", "-0.0", "NaN", str(BIG), "1e400"])
    | numerals
    | texts
)
values = st.recursive(
    atoms,
    lambda inner: (
        st.lists(inner, max_size=4).map(lambda items: "[" + ",".join(items) + "]")
        | st.lists(st.tuples(texts, inner), max_size=4).map(
            lambda pairs: "{" + ",".join(f"{key}:{value}" for key, value in pairs) + "}"
        )
    ),
    max_leaves=12,
)


@pytest.fixture(scope="module")
def owner(demo):
    """A browser of a person who has preferences."""
    with sign_in(demo, "owner") as browser:
        yield browser


@pytest.mark.slow
@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(values)
def test_accepted_values_are_returned_unchanged(owner, text):
    """An accepted value returns unchanged: alone, among all preferences and in the export.

    Python's json decides what was sent.
    """
    body = f'{{"value":{text}}}'.encode("utf-8", "surrogatepass")
    owner.delete("/me/preferences/any")
    response = owner.put(
        "/me/preferences/any", content=body, headers={"Content-Type": "application/json"}
    )
    one, every, export = (
        owner.get(path) for path in ("/me/preferences/any", "/me/preferences", "/me/export")
    )
    assert (every.status_code, export.status_code) == (200, 200)
    if response.status_code == 400:
        assert (one.status_code, every.json(), export.json()["preferences"]) == (
            404,
            {"preferences": {}},
            {},
        )
        return
    sent = parsed(body)
    assert response.status_code == 201
    for given_back in (
        response.json(),
        one.json(),
        {"value": every.json()["preferences"]["any"]},
        {"value": export.json()["preferences"]["any"]},
    ):
        assert same(given_back, sent)


def same(one, other):
    """True if two values are the same JSON.

    A number with a fraction or an exponent is the nearest double (RFC 8259, 6).
    """
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, float) or isinstance(other, float):
        return (
            type(one) in (int, float) and type(other) in (int, float) and float(one) == float(other)
        )
    return type(one) is type(other) and one == other
