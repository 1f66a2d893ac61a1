"""nginx's own log shows no secret: not in a path, not in a query."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import SimpleNamespace

import pytest

from tests.http.test_paths import CUTS, TOKEN, spell
from tests.ops.nginx_front import NGINX, running_nginx
from tests.waiting import wait_for

pytestmark = pytest.mark.skipif(
    NGINX is None, reason="nginx is not installed (Debian: apt-get install nginx-light)"
)


class Echo(BaseHTTPRequestHandler):
    """Answers every GET with how long its target is."""

    def do_GET(self):
        body = b"%d" % len(self.path)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Be quiet."""


@pytest.fixture(scope="module")
def front(tmp_path_factory):
    """nginx in front of an upstream that answers everything."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as upstream:
        Thread(target=upstream.serve_forever, args=(0.01,), daemon=True).start()
        service = SimpleNamespace(url=f"http://127.0.0.1:{upstream.server_port}")
        with running_nginx(tmp_path_factory.mktemp("nginx"), service) as front:
            yield front
        upstream.shutdown()


def ask(front, target):
    """Send a target as it is; HTTP libraries would tidy it."""
    head = f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    assert front.send(head.encode())


def read_log(front, last):
    """Return the log once it has its last request."""
    log = front.cache.parent / "access.log"
    wait_for(lambda: last in log.read_text(), "the last line of the log")
    return log.read_text()


def test_no_secret_is_logged(front):
    """Feeds, links in mails, in all spellings; keys in a path and in a query."""
    for prefix in ("/feeds/", "/unsubscribe/", "/confirm/"):
        for token in CUTS:
            for target in spell(prefix, token):
                ask(front, target)
    ask(front, f"/articles/ni_{TOKEN}")
    ask(front, f"/compat/newsapi/v2/everything?q=privacy&apiKey=ni_{TOKEN}")
    ask(front, "/articles?q=privacy")
    ask(front, "/the/end")
    log = read_log(front, "/the/end").lower()
    assert TOKEN[:6].lower() not in log
    assert "privacy" not in log
    assert '"get /articles http/1.1" 200' in log
    assert '"get /(secret) http/1.1" 200' in log
