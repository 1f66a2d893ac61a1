"""`just eval-ranking` judges the order of results by nDCG@10 on labelled recorded articles.

With `--beside DIRECTORY`, the score of another checkout is judged, too ("before"), on the same
articles with its own grouping.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.ranking.gain import bootstrap_mean
from benchmarks.ranking.labels import choose_half
from benchmarks.ranking.orders import judge_orders
from benchmarks.ranking.recordings import ANSWERED, RECORDED, load_recordings
from benchmarks.table import format_table

HERE = Path(__file__).resolve().parents[2]

Judged = Mapping[str, Mapping[str, float]]

_HALVES = ("tuned on", "held out")

_OTHER = """
import sys
sys.path[:0] = [{other!r}]
import newsintel
sys.path[0] = {here!r}
from benchmarks.ranking.__main__ import main
main()
"""


def judge_checkout(checkout: Path) -> Judged:
    """Judge the orders of another checkout with the files of this benchmark."""
    code = _OTHER.format(other=str(checkout.resolve()), here=str(HERE))
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, "--json"],
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        check=True,
        stdout=subprocess.PIPE,
    )
    found: Judged = json.loads(done.stdout)
    return found


def format_queries(judged: Judged) -> str:
    """Return a table of every query."""
    names = list(next(iter(judged.values())))
    rows = [
        [query, choose_half(query), *(f"{values[name]:.3f}" for name in names)]
        for query, values in sorted(judged.items())
    ]
    return format_table(["query", "half", *names], rows)


def format_means(judged: Judged) -> str:
    """Return a table of means, each with the range that holds 95 % of resampled means.

    Of each order, and of what the score gains over each other order query by query.
    """
    some = {half: [query for query in judged if choose_half(query) == half] for half in _HALVES}
    some |= {"all": list(judged), "recorded order": [one for one in judged if one in ANSWERED]}
    names = list(next(iter(judged.values())))
    rows = [
        [name, *(format_mean([judged[one][name] for one in part]) for part in some.values())]
        for name in names
    ]
    rows += [
        [
            f"score - {name}",
            *(
                format_mean([judged[one]["score"] - judged[one][name] for one in part])
                for part in some.values()
            ),
        ]
        for name in names[1:]
    ]
    return format_table(["nDCG@10", *(f"{k}, {len(v)} queries" for k, v in some.items())], rows)


def format_mean(values: Sequence[float]) -> str:
    """Return a mean with its range."""
    low, high = bootstrap_mean(values)
    return f"{sum(values) / len(values):.3f} ({low:.3f} to {high:.3f})"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="just eval-ranking", description=__doc__)
    parser.add_argument("--beside", type=Path, help="another checkout, whose score is judged, too")
    parser.add_argument("--json", action="store_true", help="print numbers alone")
    options = parser.parse_args()
    recordings = load_recordings()
    if recordings is None:
        sys.exit(f"no recorded responses in {RECORDED}: nothing can be judged")
    judged: Judged = judge_orders(recordings)
    if options.json:
        print(json.dumps(judged))
        return
    if options.beside:
        other = judge_checkout(options.beside)
        judged = {
            query: {"score": values["score"], "before": other[query]["score"]} | values
            for query, values in judged.items()
        }
    print(format_queries(judged), format_means(judged), sep="\n\n")


if __name__ == "__main__":
    main()
