"""What was accepted unchanged is known for a minute."""

from attrs import evolve, fields
from hypothesis import given
from hypothesis import strategies as st

from newsintel.domain.archive.batch import ArchiveBatch
from newsintel.domain.archive.recent_saves import KEEP_S, RecentSaves
from newsintel.domain.search.article import Article, Engagement, Pair, Rule
from tests.make import NOON, article, at

PAIR = Pair("a_b", "a_a", Rule.TITLE, 0.9)


def rest(recent, rows=(), pairs=(), now_s=10.0):
    """What is left of a batch, and whether the spool has some of it; the batch ends."""
    batch = ArchiveBatch(list(rows), list(pairs))
    spooled = recent.drop_known(batch, now_s)
    recent.end_batch()
    return batch.rows, batch.pairs, spooled


def test_saved_articles_and_pairs_are_known_until_they_are_too_old():
    """The time of the fetch does not matter, and what was dropped does not start the time anew."""
    recent = RecentSaves()
    recent.note([article("a"), PAIR], 10.0, spooled=False)
    later, other = (article("a"), at(30)), (article("b"), NOON)
    for now_s in (10.0, 9.0 + KEEP_S):
        assert rest(recent, [later, other], [PAIR], now_s) == ([other], [], False)
    assert rest(recent, [later, other], [PAIR], 10.0 + KEEP_S) == ([later, other], [PAIR], False)


def test_what_waits_is_not_added_again():
    """A changed article is, and one that changes back; after the batch, what was lost is."""
    recent = RecentSaves()
    old, new, other = ((article("a", title=title), NOON) for title in ("Old", "New", "Other"))
    answers = [[old, old], [old], [new, old], [old], [other]]
    batches = [ArchiveBatch(list(rows)) for rows in answers]
    for batch in batches:
        assert not recent.drop_known(batch, 10.0)
    assert [batch.rows for batch in batches] == [[old], [], [new, old], [], [other]]
    recent.end_batch()
    assert rest(recent, [old]) == ([old], [], False)


def test_what_is_only_spooled_is_told():
    """Its pairs must not be saved before it."""
    recent = RecentSaves()
    recent.note([article("a")], 10.0, spooled=True)
    recent.note([article("b")], 10.0, spooled=False)
    rows = [(article("a"), NOON), (article("b"), NOON)]
    assert rest(recent, rows, [PAIR]) == ([], [PAIR], True)
    assert rest(recent, rows[1:], [PAIR]) == ([], [PAIR], False)
    assert rest(recent, rows, [PAIR], 10.0 + KEEP_S) == (rows, [PAIR], False)


def test_an_article_of_several_answers_is_one_row():
    """With the time of its latest answer; another version of it is a row of its own."""
    new = article("a", title="New")
    batch = ArchiveBatch([(article("a"), NOON), (new, NOON), (article("a"), at(1))])
    batch.drop_repeats()
    assert batch.rows == [(article("a"), at(1)), (new, NOON)]


def test_an_article_that_changes_and_changes_back_is_saved_each_time():
    """Only its latest version is known."""
    recent = RecentSaves()
    old, new = (article("a"), NOON), (article("a", title="New"), NOON)
    recent.note([old[0]], 10.0, spooled=True)
    recent.note([new[0]], 11.0, spooled=False)
    assert rest(recent, [old, new], now_s=12.0) == ([old], [], False)


def test_each_source_and_each_post_has_its_own_version():
    """Two posts link to a page that a paper has too: searches find all three, in turn."""
    recent = RecentSaves()
    page = article("a")
    forms = [page, evolve(page, source="reddit"), evolve(page, source="reddit", external_id="t3_2")]
    rows = [(form, NOON) for form in forms]
    batch = ArchiveBatch(rows * 3)
    recent.drop_known(batch, 10.0)
    assert batch.rows == rows
    recent.end_batch()
    recent.note(forms, 10.0, spooled=False)
    assert rest(recent, rows * 2, now_s=11.0) == ([], [], False)


def test_what_is_too_old_takes_no_memory():
    """Old versions would stay until MAX_KEPT newer ones have come."""
    recent = RecentSaves()
    for number in range(300):
        recent.note(
            [article(str(number)), evolve(PAIR, member_id=f"{number}")], number, spooled=True
        )
    assert len(recent._accepted) == 2 * KEEP_S
    recent.note([], 299 + KEEP_S, spooled=True)
    assert not recent._accepted


def test_a_pair_that_waits_is_not_added_again():
    """Unless it is more similar now."""
    recent, closer = RecentSaves(), evolve(PAIR, similarity=0.95)
    batch = ArchiveBatch([], [PAIR, PAIR, closer, closer])
    assert not recent.drop_known(batch, 10.0)
    assert batch.pairs == [PAIR, closer]
    recent.end_batch()
    recent.note([closer], 10.0, spooled=True)
    assert rest(recent, [], [closer, PAIR]) == ([], [PAIR], False)


@given(st.sampled_from([field.name for field in fields(Article)]))
def test_a_change_in_any_field_is_saved(name):
    """Points of a forum, a corrected title, a new address."""
    recent, saved = RecentSaves(), article("a")
    recent.note([saved], 10.0, spooled=False)
    new = {"published_at": at(1), "published_at_estimated": True, "engagement": Engagement(1, 2)}
    changed = evolve(saved, **{name: new.get(name, "other")})
    assert rest(recent, [(saved, NOON), (changed, NOON)])[0] == [(changed, NOON)]
