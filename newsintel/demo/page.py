"""The simulator's front page: says what it is, and how to disturb it."""

import html

from newsintel.demo.behaviour import FAULTS

_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Simulated news APIs</title>
<style>body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 3rem auto }} pre {{ overflow: auto }}</style>
</head>
<body>
<h1>Simulated news APIs</h1>
<p>This server belongs to newsintel. It imitates the interfaces of NewsAPI, the Guardian and Reddit so that newsintel can be tried without
keys or network. It has nothing to do with them: unless it was started to replay recordings, every article, outlet, person and place in it
is invented. Every response says <code>X-Simulated: newsintel-demo</code>.</p>
<h2>Watching and disturbing it</h2>
<pre>
curl {root}/_control                                                          # settings and calls so far
curl -X PUT {root}/_control/guardian -d '{{"latency_ms": 900, "jitter_ms": 50}}'
curl -X PUT {root}/_control/reddit -d '{{"fault": "429", "retry_after": 30}}'
curl -X PUT {root}/_control/newsapi -d '{{"fault": "hang", "fault_rate": 0.5}}'
curl -X PUT {root}/_control/newsapi -d '{{"limited": true}}'                    # the free plan's quota and delay
curl -X DELETE {root}/_control/calls                                          # counters from 0
curl -X DELETE {root}/_control/quota                                          # quotas unused, tokens revoked
curl -X DELETE {root}/_control                                                # everything as at the start
</pre>
<p>Names: newsapi, guardian, reddit, reddit_auth (where Reddit asks people and gives tokens). Faults: {faults}.</p>
</body>
</html>
"""


def front_page(root: str) -> str:
    """The page, for a server at `root`."""
    return _PAGE.format(root=html.escape(root), faults=html.escape(", ".join(FAULTS)))
