"""`newsintel feeds` on embedded servers: what it adds is read, what it exports comes back."""

import json

import pytest

from tests.service import newsintel
from tests.storage.support import running_servers

OPML = """<opml version="2.0"><body>
<outline text="A" type="rss" xmlUrl="https://a.example/feed"/>
<outline text="RT" type="rss" xmlUrl="https://www.rt.com/rss/"/></body></opml>"""


@pytest.fixture
def feeds(tmp_path):
    """Runs an action beside servers that run already."""
    with running_servers(tmp_path / "newsintel"):
        yield lambda *args: newsintel(tmp_path, "feeds", *args)


@pytest.mark.slow
def test_feeds_are_added_listed_exported_and_removed(feeds, tmp_path):
    """State media are marked; what our list knows of a feed is known."""
    assert feeds("list").stdout == "0 feeds\n"
    known = "https://feeds.bbci.co.uk/news/world/rss.xml"
    assert feeds("add", known).stdout == "added: 1, known already: 0\n"
    assert feeds("add", known).stdout == "added: 0, known already: 1\n"
    (tmp_path / "list.opml").write_text(OPML)
    done = feeds("import", str(tmp_path / "list.opml"))
    assert (done.returncode, done.stdout) == (0, "added: 2, known already: 0\n")
    listed = feeds("list").stdout.splitlines()
    assert listed[0].startswith("waiting      https://a.example/feed  [-- --], next 20")
    assert "[en GB]" in listed[1]
    assert "[-- -- state media]" in listed[2]
    assert listed[3] == "3 feeds"
    rows = [json.loads(line) for line in feeds("list", "--json").stdout.splitlines()]
    assert [row["publisher"] for row in rows] == [None, "BBC News", None]
    assert {row["origin"] for row in rows} == {"command"}
    exported = feeds("export").stdout
    (tmp_path / "again.opml").write_text(exported)
    assert feeds("remove", known).stdout == f"{known} is not read any more; its articles stay\n"
    assert feeds("list").stdout.endswith("2 feeds\n")
    done = feeds("import", str(tmp_path / "again.opml"))
    assert done.stdout == "added: 0, known already: 3\n"
    assert feeds("export").stdout == exported


@pytest.mark.slow
@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (("remove", "https://x.example/"), 2, "https://x.example/ is not read"),
        (("add", "file:///etc/passwd"), 2, "file:///etc/passwd is neither http nor https"),
        (("add", "https://a:b@x.example/"), 2, "is an address with a password"),
        (("add", "https://x.example/" + "\u65b0" * 1_990), 2, "\u65b0 is not an address"),
        (("import", "/nowhere/list.opml"), 2, "/nowhere/list.opml: No such file or directory"),
        (("import", __file__), 1, "the list of feeds cannot be read: not OPML"),
        (("fetch",), 2, "invalid choice: 'fetch'"),
        ((), 2, "ACTION"),
    ],
)
def test_what_cannot_be_done_is_one_line(tmp_path, args, code, said):
    """It names the address or the file."""
    done = newsintel(tmp_path, "feeds", *args)
    assert done.returncode == code
    assert said in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
