"""Builds the whole invented corpus: every story as the rows of the sources that report it."""

import random
from datetime import datetime

from newsintel.demo.documents import Corpus, Document
from newsintel.demo.guardian_rows import guardian_documents
from newsintel.demo.newsapi_rows import newsapi_documents
from newsintel.demo.reddit_rows import reddit_documents, subreddit_document
from newsintel.demo.stories import tell, themes


def build(now: datetime, seed: int) -> Corpus:
    """Build the corpus at a moment. Equal arguments give equal corpora, in every process.

    Args:
        now: timezone-aware; no row has a later date.
        seed: decides which source reports what, when, and in which spelling.
    """
    dice = random.Random(seed)  # noqa: S311 - nothing here is a secret
    newsapi: list[Document] = []
    guardian: list[Document] = []
    reddit = [subreddit_document(theme, now) for theme in themes()]
    carried = set()
    for story in tell(now, dice):
        while story.name not in carried:
            found = (
                list(newsapi_documents(story, now, dice)),
                list(guardian_documents(story, now, dice)),
                list(reddit_documents(story, now, dice)),
            )
            for known, more in zip((newsapi, guardian, reddit), found, strict=True):
                known.extend(more)
                carried |= {document.story for document in more}
    return Corpus(tuple(newsapi), tuple(guardian), tuple(reddit))
