"""What `RecentSaves` leaves out would change nothing in the archive but an article's fetch time."""

from datetime import timedelta
from random import Random

from attrs import evolve

from newsintel.domain.archive.batch import ArchiveBatch
from newsintel.domain.archive.recent_saves import RecentSaves
from newsintel.domain.search.article import Engagement
from tests.storage.support import NOON, article

PAGES, ROUNDS = 60, 25
TEXTS = (None, "Short.", "A longer text.", "The longest text of all of them.")


def make_form(dice, page, points):
    """One of the forms in which searches find a page: by a paper, or by one of two posts."""
    one = article(
        page,
        description=dice.choice(TEXTS),
        author=dice.choice((None, "Ana")),
        section=dice.choice((None, "world")),
    )
    post = dice.randrange(3)
    if not post:
        return one
    thread = Engagement(points, points // 2, f"https://reddit.example/{page}/{post}")
    return evolve(one, source="reddit", external_id=f"t3_{post}", engagement=thread)


async def test_the_archive_is_the_same_with_and_without_what_is_left_out(archive, fetch):
    """Generated: each round finds each page in one of its four forms, later ones more rarely."""
    dice, recent, saved = Random(27), RecentSaves(), 0
    forms = {
        page: [make_form(dice, f"{page}", points) for points in range(1, 5)]
        for page in range(PAGES)
    }
    for number in range(ROUNDS):
        chosen = {page: dice.choice(forms[page][: 1 + number // 6]) for page in range(PAGES)}
        found = [(form, NOON + timedelta(seconds=number)) for form in chosen.values()]
        whole = [(evolve(form, id=f"whole-{form.id}"), when) for form, when in found]
        await archive.save_articles(whole, [])
        batch = ArchiveBatch(found)
        recent.drop_known(batch, float(number))
        await archive.save_articles(batch.rows, [])
        recent.note((row[0] for row in batch.rows), float(number), spooled=False)
        recent.end_batch()
        saved += len(batch.rows)
    shown = dict(
        await fetch(
            "SELECT public_id, to_jsonb(articles) - ARRAY['id', 'public_id', 'fetched_at']"
            " FROM articles"
        )
    )
    assert len(shown) == 2 * PAGES
    for form in (forms[page][0] for page in range(PAGES)):
        assert shown[form.id] == shown[f"whole-{form.id}"]
    assert saved < ROUNDS * PAGES / 2
