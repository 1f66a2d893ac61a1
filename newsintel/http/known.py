"""An article that a request names in its path."""

import re

from werkzeug.exceptions import NotFound

from newsintel.http.schemas import ARTICLE_ID
from newsintel.http.services import Services
from newsintel.model import ArchivedArticle

MISSING = "No article has this id."


def possible_id(article_id: str) -> str:
    """The id as it is: what cannot be one is not worth a question to the archive.

    Raises:
        NotFound: it is no id.
    """
    if not re.fullmatch(ARTICLE_ID["pattern"], article_id):
        raise NotFound(MISSING)
    return article_id


async def known_article(services: Services, article_id: str) -> ArchivedArticle:
    """An article of the archive, or of an answer of a moment ago, which the archive may not have yet.

    Raises:
        NotFound: there is none of this id, or it is no id.
    """
    found = await services.desk.article(possible_id(article_id))
    if found is None:
        raise NotFound(MISSING)
    return found
