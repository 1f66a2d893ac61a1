"""The tables that the benchmarks print."""

from benchmarks.table import table


def test_columns_line_up():
    """Names are left-aligned, figures right-aligned, and all lines equally long, as in Markdown."""
    lines = table(("", "ms"), [("newsintel", "1.5"), ("floor", "10.25")]).splitlines()
    assert lines == ["|           |    ms |", "| --------- | ----: |", "| newsintel |   1.5 |", "| floor     | 10.25 |"]
