"""Asks newsapi-python, whose addresses are set to ours. Arguments: an address, a key, a query."""

import json
import sys

from newsapi import NewsApiClient, const
from newsapi.newsapi_exception import NewsAPIException

address, key, query = sys.argv[1:]
const.EVERYTHING_URL = f"{address}/everything"
const.TOP_HEADLINES_URL = f"{address}/top-headlines"
const.SOURCES_URL = f"{address}/sources"
client = NewsApiClient(api_key=key)
try:
    NewsApiClient(api_key="ni_wrong").get_everything(q=query)
    REFUSED = None
except NewsAPIException as error:
    REFUSED = error.get_code()
json.dump(
    {
        "refused": REFUSED,
        "everything": client.get_everything(q=query, page_size=2, sort_by="relevancy"),
        "since": client.get_everything(q=query, from_param="2030-01-01T00:00:00"),
        "headlines": client.get_top_headlines(language="en", page_size=3),
        "sources": client.get_sources(),
    },
    sys.stdout,
)
