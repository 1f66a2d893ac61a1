"""`python -m benchmarks.dedup FILE...` scores the rules of deduplication on labelled headlines.

For each file it prints a table of the rules, what each veto kept apart, and the worst mistakes of
`normal`. benchmarks/dedup/labelled.py describes the files; tests/data/headlines.tsv is one.
"""

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from benchmarks.dedup.grouping import Grouped, count_pairs, group_by_rule, group_by_stories
from benchmarks.dedup.labelled import LabelledPair, LabelledTitle, join_clusters, read_labelled
from benchmarks.dedup.rules import RULES, parse
from benchmarks.dedup.scores import Scores, add_scores, find_range, score
from benchmarks.table import format_table
from newsintel.domain.search.stories.judging import Told, judge_titles

_WORST = 20
_HEADER = ("rule", "P", "R", "F1", "F1, 95 %", "right", "wrong", "missed")
Mistake = tuple[float, str, str, str]
"""How far from the limit, what is wrong, and the two titles."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the report of each file."""
    parser = argparse.ArgumentParser(
        prog="just eval-dedup",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("files", metavar="FILE", nargs="+", type=Path)
    parser.add_argument(
        "--where",
        metavar="COLUMN=VALUE",
        action="append",
        default=[],
        help="use only rows with this value; may be repeated",
    )
    parser.add_argument(
        "--merges", metavar="FILE.json", type=Path, help="lists of clusters that are one story"
    )
    given = parser.parse_args(arguments)
    where = dict(condition.split("=", 1) for condition in given.where)
    for path in given.files:
        labelled = read_labelled(path, where)
        titles = labelled.titles
        if given.merges:
            titles = join_clusters(titles, given.merges)
        print(f"\n## {path.name}\n")
        print(report_pairs(labelled.pairs) if labelled.pairs else report_clusters(titles))


def report_pairs(pairs: Sequence[LabelledPair]) -> str:
    """Return the report of labelled pairs."""
    same = [pair.same for pair in pairs]
    rows = []
    for rule in RULES:
        merged = [rule.is_same(pair.one, pair.other) for pair in pairs]
        parts = [score([one], [label]) for one, label in zip(merged, same, strict=True)]
        rows.append(_format_row(rule.name, parts))
    vetoes: dict[str, Counter[bool]] = {}
    mistakes: list[Mistake] = []
    normal = RULES[0]
    for pair in pairs:
        judgement = judge_titles(Told(parse(pair.one)), Told(parse(pair.other)))
        if judgement.veto:
            vetoes.setdefault(judgement.veto, Counter())[pair.same] += 1
        merged_here = normal.is_same(pair.one, pair.other)
        if merged_here != pair.same:
            why = f"missed, {judgement.veto}" if judgement.veto else "missed"
            far = (
                judgement.similarity if merged_here or judgement.veto else 1 - judgement.similarity
            )
            mistakes.append((far, "wrong" if merged_here else why, pair.one, pair.other))
    head = f"{len(pairs):,} pairs, {sum(same):,} of one story\n"
    return _format_report(head, rows, vetoes, mistakes)


def report_clusters(titles: Sequence[LabelledTitle]) -> str:
    """Return the report of titles in groups: all pairs within a group count."""
    ours = group_by_stories(titles)
    groupings: list[tuple[str, Grouped]] = [("normal", ours)]
    groupings += [(rule.name, group_by_rule(titles, rule)) for rule in RULES[1:]]
    rows = [_format_row(name, count_pairs(titles, grouped.founders)) for name, grouped in groupings]
    mistakes = [
        (similarity, "wrong", titles[founder].title, titles[position].title)
        for position, (founder, similarity) in enumerate(
            zip(ours.founders, ours.similarities, strict=True)
        )
        if similarity is not None and titles[founder].cluster != titles[position].cluster
    ]
    stories = len({labelled.cluster for labelled in titles})
    return _format_report(
        f"{len(titles):,} titles, {stories:,} stories\n", rows, ours.vetoes, mistakes
    )


def _format_row(name: str, parts: Sequence[Scores]) -> tuple[str, ...]:
    found = add_scores(parts)
    low, high = find_range(parts)
    shares = (f"{value:.3f}" for value in (found.precision, found.recall, found.f1))
    counts = (f"{count:,}" for count in (found.right, found.wrong, found.missed))
    return (name, *shares, f"{low:.3f}-{high:.3f}", *counts)


def _format_report(
    head: str,
    rows: Sequence[Sequence[str]],
    vetoes: dict[str, Counter[bool]],
    mistakes: Sequence[Mistake],
) -> str:
    table = format_table(_HEADER, rows)
    kept = format_table(
        ("veto", "of two stories", "of one story"),
        [(veto, str(counts[False]), str(counts[True])) for veto, counts in sorted(vetoes.items())],
    )
    worst = sorted(mistakes, key=lambda mistake: -mistake[0])[:_WORST]
    listed = "\n".join(
        f"- {far:.2f} {what}\n  - {one}\n  - {other}" for far, what, one, other in worst
    )
    return f"{head}\n{table}\n\nKept apart\n\n{kept}\n\nThe worst mistakes\n\n{listed or 'none'}"


if __name__ == "__main__":
    main()
