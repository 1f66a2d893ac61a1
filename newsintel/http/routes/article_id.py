"""An article that a request names in its path."""

from werkzeug.exceptions import NotFound

from newsintel.domain.search.article import ArchivedArticle
from newsintel.http.services import Services


async def find_article(services: Services, article_id: str) -> ArchivedArticle:
    """Return an article of the archive, or of a recent answer that the archive may not have yet.

    Raises:
        NotFound: no article has this id.
        UnavailableError: the archive did not answer, and no recent answer has the article.
    """
    found = await services.search.desk.get_article(article_id)
    if found is None:
        raise NotFound("No article has this id.")
    return found
