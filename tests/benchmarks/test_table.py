"""The tables that the benchmarks print."""

from benchmarks.table import table


def test_columns_line_up():
    """Names to the left, figures to the right, every line as long as the others; it is Markdown."""
    lines = table(("", "ms"), [("newsintel", "1.5"), ("floor", "10.25")]).splitlines()
    assert lines == ["|           |    ms |", "| --------- | ----: |", "| newsintel |   1.5 |", "| floor     | 10.25 |"]
