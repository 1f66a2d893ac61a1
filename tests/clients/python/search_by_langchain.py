"""Searches with LangChain's SearxSearchWrapper. Arguments: an address, a query."""

import json
import sys

from langchain_community.utilities import SearxSearchWrapper

address, query = sys.argv[1:]
searx = SearxSearchWrapper(searx_host=address)
json.dump(
    {
        "results": searx.results(query, 3),
        "of_one": searx.results(query, 3, engines=["guardian"], time_range="month"),
        "text": searx.run(query),
    },
    sys.stdout,
)
