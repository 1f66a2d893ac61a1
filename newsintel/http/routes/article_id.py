"""An article that a request names in its path."""

from werkzeug.exceptions import NotFound

from newsintel.domain.search.article import ArchivedArticle
from newsintel.http.services import Services


async def known_article(services: Services, article_id: str) -> ArchivedArticle:
    """An article of the archive, or of an answer of a moment ago, which the archive may not have yet.

    Raises:
        NotFound: there is none of this id.
    """
    found = await services.search.desk.article(article_id)
    if found is None:
        raise NotFound("No article has this id.")
    return found
