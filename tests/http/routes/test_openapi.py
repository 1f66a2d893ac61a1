"""GET /openapi.json: valid, complete, and in agreement with the bodies that are sent."""

import re

import pytest
from attrs import evolve
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from newsintel.domain.archive.model import Bar, Hit, Snippet
from newsintel.domain.limits.ports import SourceState
from newsintel.domain.search.article import ArchivedArticle, Engagement
from newsintel.domain.search.outcome import Status
from newsintel.http.application import create_app
from newsintel.http.bodies.examples import EXAMPLES
from newsintel.http.paths import NEWSAPI_BASES, SEARXNG
from newsintel.http.response.page_cache import PageCache
from newsintel.http.routes import archive, articles
from tests.fakes.accounts import browser
from tests.fakes.basics import MemorySearch
from tests.fakes.likeness import MemoryLikeness
from tests.http.world import NOW, Desk, World, answer, article, outcome, settings


async def described(world):
    """Return the document as it is served."""
    return await (await create_app(world.services).test_client().get("/openapi.json")).get_json()


async def test_the_document_is_valid():
    """The judge is a validator of OpenAPI 3.1."""
    OpenAPIV31SpecValidator(await described(World())).validate()


async def test_it_has_every_route_and_method():
    """It has nothing else; HEAD comes with GET, and OPTIONS is not automatic.

    Only second addresses are left out: NewsAPI's, for clients behind its own address, and the root
    of SearXNG without its slash.
    """
    world = World()
    app = create_app(world.services)
    routed = {
        (rule.rule.replace("<", "{").replace(">", "}"), method)
        for rule in app.url_map.iter_rules()
        for method in rule.methods
        if not rule.rule.startswith(NEWSAPI_BASES[1])
        and rule.rule != SEARXNG
        and not rule.endpoint.startswith("refused ")
    }
    paths = (await described(world))["paths"]
    stated = {(path, method.upper()) for path, operations in paths.items() for method in operations}
    stated |= {("/mcp", "POST")}  # the protocol describes itself
    assert routed == stated | {(path, "HEAD") for path, method in stated if method == "GET"}


@pytest.mark.parametrize(
    "route",
    [articles.build_routes(settings(), PageCache())[0], *archive.build_routes(settings())],
    ids=lambda route: route.path,
)
async def test_its_parameters_are_those_that_the_reader_accepts(route):
    """Names and order agree; only `q` of the live search is required."""
    parameters = (await described(World()))["paths"][route.path]["get"]["parameters"]
    assert [one["name"] for one in parameters] == [one.name for one in route.takes]
    assert [one["name"] for one in parameters if one["required"]] == (
        ["q"] if route.path == "/articles" else []
    )


def resolve(document, described):
    """The values of the examples of a body or parameter."""
    found = [described["example"]] if "example" in described else []
    for one in described.get("examples", {}).values():
        if "$ref" in one:
            one = document["components"]["examples"][one["$ref"].rpartition("/")[2]]  # noqa: PLW2901
        found.append(one["value"])
    return found


def list_described(document):
    """Everything that should have an example: parameters, bodies and responses."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            for parameter in operation["parameters"]:
                yield f"{method} {path} {parameter['name']}", parameter
            for media, body in operation.get("requestBody", {}).get("content", {}).items():
                yield f"{method} {path} {media}", body
            for status, response in operation["responses"].items():
                for media, body in response.get("content", {}).items():
                    yield f"{method} {path} {status} {media}", body


async def test_every_example_is_allowed_by_its_own_schema():
    """Each parameter, body and response of each route has one; jsonschema decides."""
    on = {
        "NEWSINTEL_OPS_PAGE": "1",
        "NEWSINTEL_OPERATORS": "reddit:a",
        "NEWSINTEL_DEV_SIGN_IN": "1",
    }
    document = await described(World(settings=settings(**on)))
    components, wrong, seen = document["components"], [], 0
    for where, one in list_described(document):
        schema = one["schema"] | {"components": components}
        judge = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
        values = resolve(document, one)
        wrong += [(where, value) for value in values if not judge.is_valid(value)]
        wrong += [] if values else [(where, "has no example")]
        seen += len(values)
    assert wrong == []
    assert seen > 500
    assert "…" not in [
        value for _, one in list_described(document) for value in resolve(document, one)
    ]


async def test_an_empty_value_is_accepted_where_the_description_allows_it():
    """Of every query parameter of every page and every other route."""
    world = World()
    document, client = await described(world), create_app(world.services).test_client()
    headers, seen = await browser(world), set()
    for path, methods in document["paths"].items():
        parameters = methods.get("get", {}).get("parameters", ())
        taken = [one for one in parameters if one["in"] == "query"]
        in_path = {one["name"]: one["example"] for one in parameters if one["in"] == "path"}
        for parameter in taken:
            name, schema = parameter["name"], parameter["schema"]
            value = [""] if schema.get("type") == "array" else ""
            allowed = Draft202012Validator(schema).is_valid(value) and not parameter["required"]
            response = await client.get(f"{path.format(**in_path)}?{name}=", headers=headers)
            body = await response.get_data(as_text=True)
            refused = response.status_code == 400 and re.search(rf"\b{name}\b", body) is not None
            page = "text/html" in methods["get"]["responses"]["400"]["content"]
            if page:
                assert (path, name, allowed, refused) == (path, name, True, False)
            elif not allowed:
                assert (path, name, response.status_code) == (path, name, 400)
            seen.add((page, allowed))
    assert seen >= {(True, True), (False, False)}


@pytest.mark.parametrize("query", ["without", "publisher", "q=a&without", "q=a&publisher"])
async def test_a_publisher_that_is_too_long_is_refused(query):
    """As its description says, with a search and without one."""
    world = World()
    client = create_app(world.services).test_client()
    for length, status in ((200, 200), (201, 400)):
        response = await client.get(f"/?{query}={'x' * length}")
        assert (length, response.status_code) == (length, status)


FAILED = (
    outcome(Status.TIMEOUT, "newsapi", retry_at=NOW),
    outcome(Status.UNREACHABLE, http_status=500),
)
DISCUSSED = evolve(
    article(1), engagement=Engagement(-7, 3, "https://www.reddit.com/r/news/comments/1abc/")
)
ARCHIVE = MemorySearch(
    [Hit(one, NOW, NOW, Snippet("a b", ((0, 1),))) for one in (DISCUSSED, article(2), article(3))],
    [Bar(NOW, 3)],
)
CASES = [
    ("/articles?q=a&explain=1", Desk()),
    ("/articles?q=a", Desk(made_by=lambda query: answer(query, *FAILED, articles=0))),
    ("/articles", Desk()),
    ("/articles?q=a", Desk(raises=KeyError())),
    (
        f"/articles/{article(1).id}",
        Desk(archived={article(1).id: ArchivedArticle(DISCUSSED, NOW, NOW, article(1).id)}),
    ),
    (f"/articles/{article(1).id}", Desk()),
    (f"/articles/{article(1).id}/similar", Desk()),
    (
        f"/articles/{article(1).id}/coverage",
        Desk(archived={article(1).id: ArchivedArticle(DISCUSSED, NOW, NOW, article(1).id)}),
    ),
    (f"/articles/{article(1).id}/similar?limit=0", Desk()),
    ("/archive?q=a&limit=2", Desk()),
    ("/archive?q=", Desk()),
    ("/archive/timeline", Desk()),
    ("/archive/facets", Desk()),
    ("/compat/searxng/search?q=a&format=json", Desk()),
    ("/compat/searxng/?format=json", Desk()),
    (
        "/compat/searxng/?q=a&format=json",
        Desk(made_by=lambda query: answer(query, *FAILED, articles=0)),
    ),
    ("/compat/newsapi/v2/everything?q=a", Desk()),
    ("/compat/newsapi/v2/everything", Desk()),
    ("/compat/newsapi/v2/everything?q=a", Desk(raises=KeyError())),
    ("/compat/newsapi/v2/top-headlines?language=en", Desk()),
    ("/compat/newsapi/v2/top-headlines/sources", Desk()),
    ("/sources", Desk()),
    ("/auth", Desk()),
    ("/me/keys", Desk()),
    ("/me/sessions", Desk()),
    ("/health", Desk()),
    ("/health/ready", Desk()),
]


@pytest.mark.slow
@pytest.mark.parametrize(("path", "desk"), CASES)
async def test_bodies_match_the_description(path, desk):
    """Every status and media type is described, and the body fits the schema."""
    likeness = MemoryLikeness(article(1), article(2))
    world = World(
        desk=desk,
        archive=ARCHIVE,
        likeness=likeness,
        states={"guardian": SourceState(Status.CIRCUIT_OPEN, NOW)},
    )
    document = await described(world)
    response = await create_app(world.services).test_client().get(path)
    template = path.partition("?")[0].replace(article(1).id, "{id}")
    content = document["paths"][template]["get"]["responses"][str(response.status_code)]["content"]
    schema = content[response.content_type]["schema"] | {"components": document["components"]}
    Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(
        await response.get_json()
    )


async def test_each_answer_that_passes_by_itself_says_when_to_ask_again():
    """Every 429 and 503 problem has a Retry-After; a provider's failure is such a 503."""
    document = await described(World())
    paths = document["paths"]
    passing = [
        response
        for operations in paths.values()
        for operation in operations.values()
        for status, response in operation["responses"].items()
        if status in ("429", "503") and "application/problem+json" in response["content"]
    ]
    assert len(passing) > 50
    assert all("Retry-After" in response["headers"] for response in passing)
    assert document["components"]["headers"]["Retry-After"]["required"]


@pytest.mark.parametrize("name", EXAMPLES)
async def test_examples_are_what_they_are_examples_of(name):
    """Each fits its schema and has no member that the schema does not know."""
    document = await described(World())
    schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
    Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(
        EXAMPLES[name]
    )
    assert EXAMPLES[name].keys() == set(document["components"]["schemas"][name]["required"])


async def test_every_problem_has_an_example_for_each_code():
    """The codes of a status are told apart by their examples, in the form of the path."""
    document = await described(World())
    for path, operations in document["paths"].items():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                for content in response.get("content", {}).values():
                    schema = content["schema"] | {"components": document["components"]}
                    for code, example in content.get("examples", {}).items():
                        (value,) = resolve(document, {"examples": {code: example}})
                        Draft202012Validator(schema).validate(value)
                        if code != "typical":  # of a page
                            assert code in response["description"], (path, status)


async def test_headers_that_are_required_are_sent():
    """The request id is in every answer, the challenge in every 401, the wait in every 429."""
    world = World()
    document, client = await described(world), create_app(world.services).test_client()
    for path in ("/articles?q=a", "/articles", "/me", "/compat/newsapi/v2/everything?apiKey=x"):
        response = await client.get(path)
        stated = document["paths"][path.partition("?")[0]]["get"]["responses"]
        headers = stated[str(response.status_code)]["headers"]
        described_once = document["components"]["headers"]
        assert all(one["$ref"] == f"#/components/headers/{name}" for name, one in headers.items())
        required = [name for name in headers if described_once[name].get("required")]
        assert "X-Request-Id" in required
        assert all(name in response.headers for name in required), path
        if path == "/articles?q=a":
            assert {"Age", "Cache-Status", "Server-Timing", "ETag"} <= headers.keys()
            assert all(name in response.headers for name in ("Age", "Cache-Status", "ETag"))


async def test_a_form_may_be_absent_if_its_fields_may_stand_in_the_address():
    """SearXNG's have no required one; each other form is required."""
    paths = (await described(World()))["paths"]
    bodies = {
        path: operation["requestBody"]
        for path, operations in paths.items()
        for operation in operations.values()
        if "requestBody" in operation
    }
    absent = {path for path, body in bodies.items() if not body["required"]}
    assert absent == {path for path in bodies if path.startswith("/compat/searxng/")}


async def test_forms_of_foreign_programs_may_have_unknown_fields():
    """All other forms may not: their reader refuses unknown fields."""
    paths = (await described(World()))["paths"]
    forms = {
        path: form["schema"]["additionalProperties"]
        for path, operations in paths.items()
        for operation in operations.values()
        for media, form in operation.get("requestBody", {}).get("content", {}).items()
        if media == "application/x-www-form-urlencoded"
    }
    foreign = {path for path in forms if path.startswith("/compat/")}
    assert {path for path, unknown in forms.items() if unknown} == foreign
    assert len(forms) > len(foreign)
