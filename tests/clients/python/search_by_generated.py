"""Searches with the client that openapi-python-client made. Arguments: an address, a query."""

import json
import sys

from generated import Client
from generated.api.default import articles
from generated.models import Problem, Search

address, query = sys.argv[1:]
with Client(base_url=address) as client:
    found = articles.sync_detailed(client=client, q=query, limit=2)
    refused = articles.sync_detailed(client=client, q="")
if not isinstance(found.parsed, Search) or not isinstance(refused.parsed, Problem):
    raise TypeError(f"{found.parsed!r} {refused.parsed!r}")
json.dump(
    {
        "titles": [article.title for article in found.parsed.articles],
        "total": found.parsed.total,
        "code": refused.parsed.code,
    },
    sys.stdout,
)
