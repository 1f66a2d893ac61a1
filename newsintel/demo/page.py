"""The simulator's front page: what the server is, and how to inject faults."""

import html

from newsintel.demo.behaviour import FAULTS

_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Simulated news APIs</title>
<style>body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 3rem auto }}
pre {{ overflow: auto }}</style>
</head>
<body>
<h1>Simulated news APIs</h1>
<p>This server belongs to newsintel. It imitates the interfaces of NewsAPI, the Guardian, Reddit,
Hacker News and GDELT, so that you can try newsintel without keys or network. It has no connection
to them. All its articles, outlets, persons and places are invented, unless it was started to replay
recordings. Every response has the header <code>X-Simulated: newsintel-demo</code>.</p>
<h2>Watch it and inject faults</h2>
<pre>
curl {root}/_control                                          # settings and calls so far
curl -X PUT {root}/_control/guardian -d '{{"latency_ms": 900, "jitter_ms": 50}}'
curl -X PUT {root}/_control/reddit -d '{{"fault": "429", "retry_after": 30}}'
curl -X PUT {root}/_control/newsapi -d '{{"fault": "hang", "fault_rate": 0.5}}'
curl -X PUT {root}/_control/newsapi -d '{{"limited": true}}'    # the free plan's quota and delay
curl -X DELETE {root}/_control/calls                          # reset the call counters
curl -X DELETE {root}/_control/quota                          # reset quotas, revoke tokens
curl -X DELETE {root}/_control                                # reset everything
</pre>
<p>Names: newsapi, guardian, reddit, reddit_auth (Reddit's consent page and token endpoint),
hackernews, gdelt. News keeps arriving at the last two, about one story a minute.
Faults: {faults}.</p>
</body>
</html>
"""


def render_front_page(root: str) -> str:
    """Render the page for a server at `root`."""
    return _PAGE.format(root=html.escape(root), faults=html.escape(", ".join(FAULTS)))
