"""Builds the whole invented corpus: every story as the rows of the sources that report it."""

import random
from datetime import datetime

from newsintel.demo.documents import Corpus, Document
from newsintel.demo.gdelt_rows import make_gdelt_documents
from newsintel.demo.guardian_rows import make_guardian_documents
from newsintel.demo.hackernews_rows import make_hackernews_documents
from newsintel.demo.newsapi_rows import make_newsapi_documents
from newsintel.demo.reddit_rows import make_reddit_documents, make_subreddit_document
from newsintel.demo.stories import generate_stories, load_themes


def build_corpus(now: datetime, seed: int) -> Corpus:
    """Build the corpus at a moment. Equal arguments give equal corpora, in every process.

    Args:
        now: timezone-aware; no row has a later date.
        seed: decides which source reports what, when, and in which spelling.
    """
    dice = random.Random(seed)  # noqa: S311 - nothing here is a secret
    own_dice = random.Random(f"{seed} keyless")  # noqa: S311
    hackernews: list[Document] = []
    gdelt: list[Document] = []
    newsapi: list[Document] = []
    guardian: list[Document] = []
    reddit = [make_subreddit_document(theme, now) for theme in load_themes()]
    carried = set()
    for story in generate_stories(now, dice):
        hackernews.extend(make_hackernews_documents(story, own_dice))
        gdelt.extend(make_gdelt_documents(story, own_dice))
        while story.name not in carried:
            found = (
                list(make_newsapi_documents(story, now, dice)),
                list(make_guardian_documents(story, now, dice)),
                list(make_reddit_documents(story, now, dice)),
            )
            for known, more in zip((newsapi, guardian, reddit), found, strict=True):
                known.extend(more)
                carried |= {document.story for document in more}
    return Corpus(*map(tuple, (newsapi, guardian, reddit, hackernews, gdelt)))
