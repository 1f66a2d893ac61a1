"""The evaluation of deduplication: its files, its scores, and our own labelled headlines.

tests/data/headlines.tsv is ours: invented headlines and public facts. The rule of its labels: two
titles are the `same` story if they report the same event at the same stage. Another place, person,
number, day or outcome of an event is another story, and so is what follows from it. Half of the
pairs differ in one word only, so the figures are lower than those of real pairs.
"""

from pathlib import Path

import pytest

from benchmarks.dedup.__main__ import main
from benchmarks.dedup.grouping import count_pairs, group_by_stories
from benchmarks.dedup.labelled import LabelledTitle, join_clusters, read_labelled
from benchmarks.dedup.rules import RULES
from benchmarks.dedup.scores import Scores, add_scores, find_range, score
from tests.shared import SHARED, needs_shared

OWN = Path(__file__).parents[2] / "data" / "headlines.tsv"


def score_pairs(rule, path, where=None):
    """The scores of a rule on a file of pairs."""
    pairs = read_labelled(path, where).pairs
    return score([rule.is_same(one.one, one.other) for one in pairs], [one.same for one in pairs])


def test_normal_beats_every_other_rule_on_our_headlines():
    """It is right more often, and finds more."""
    normal, *others = (score_pairs(rule, OWN) for rule in RULES)
    assert normal.precision >= 0.75
    assert normal.f1 >= 0.78
    assert all(normal.f1 > other.f1 + 0.2 for other in others)


@needs_shared
def test_normal_finds_stories_in_labelled_pairs():
    """The figures of docs/decisions/0033-stories.md."""
    path = SHARED / "headlines" / "stsb_news_pairs_train.tsv"
    if not path.exists():
        pytest.skip("the labelled headlines are not beside this checkout")
    normal = score_pairs(RULES[0], path, {"corpus": "headlines"})
    assert normal.precision >= 0.87
    assert normal.f1 >= 0.86


@needs_shared
def test_groups_of_real_news_are_right():
    """The figures of docs/decisions/0033-stories.md."""
    path = SHARED / "headlines" / "uci_news_aggregator_first3000.csv"
    if not path.exists():
        pytest.skip("the labelled headlines are not beside this checkout")
    merges = SHARED / "headlines" / "uci_story_merges.json"
    titles = join_clusters(read_labelled(path).titles, merges)
    found = add_scores(count_pairs(titles, group_by_stories(titles).founders))
    assert found.right >= 5_000
    assert found.precision >= 0.998


def test_scores_are_those_of_a_worked_example():
    """Three right, one wrong, two missed: P 3/4, R 3/5, F1 2/3."""
    found = score(
        [True, True, True, True, False, False, False],
        [True, True, True, False, True, True, False],
    )
    assert found == Scores(3, 1, 2)
    assert (found.precision, found.recall) == (0.75, 0.6)
    assert found.f1 == pytest.approx(2 / 3)


def test_range_holds_the_figure_and_is_a_point_if_all_parts_are_equal():
    """A bootstrap of equal parts finds no spread."""
    low, high = find_range([Scores(1, 0, 0), Scores(0, 1, 0), Scores(0, 0, 1)] * 30)
    assert low < 0.5 < high
    assert find_range([Scores(1, 0, 0)] * 5) == (1.0, 1.0)


def test_pairs_of_groups_are_counted_once():
    """Groups {a, a, b} and {a}: one right, two wrong, two missed."""
    titles = [LabelledTitle("t", story) for story in "aaba"]
    assert add_scores(count_pairs(titles, [0, 0, 0, 3])) == Scores(1, 2, 2)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.tsv", "title1\ttitle2\tscore_0_5\nx\ty\t4.0\nx\tz\t2.9\nx\tu\t3.5\n"),
        ("a.csv", "label,title1,title2\nsame,x,y\nOTHER,x,z\n"),
        (
            "a.jsonl",
            (
                '{"label": 1, "title1": "x", "title2": "y"}\n'
                '{"label": "no", "title1": "x", "title2": "z"}\n'
            ),
        ),
    ],
)
def test_pair_files_are_read_in_every_format(name, text, tmp_path):
    """Two pairs, the first of one story."""
    path = tmp_path / name
    path.write_text(text)
    assert [(one.one, one.other, one.same) for one in read_labelled(path).pairs] == [
        ("x", "y", True),
        ("x", "z", False),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("title1,title2,label\na,b,maybe\n", "line 2"),
        ("a,b\n1,2\n", "columns"),
        ("a,b\n", "no such"),
    ],
)
def test_unusable_files_are_refused(text, message, tmp_path):
    """The message names the file and what is wrong."""
    path = tmp_path / "x.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        read_labelled(path)


def test_report_shows_rules_vetoes_and_mistakes(capsys, tmp_path):
    """For pairs and for clusters."""
    clusters = tmp_path / "clusters.csv"
    clusters.write_text(
        "title,cluster\nStrong quake hits central Italy,1\n"
        "Central Italy hit by strong earthquake,1\nStrong quake hits central Chile,2\n"
    )
    main([str(OWN), str(clusters)])
    out = capsys.readouterr().out
    assert out.count("| normal ") == 2
    assert all(out.count(f"| {rule.name} ") == 2 for rule in RULES)
    assert "| number " in out
    assert "| place " in out
    assert "- 0." in out
