"""The tables that the benchmarks print."""

from benchmarks.table import format_table


def test_columns_line_up():
    """Names are left-aligned, figures right-aligned, and all lines equally long, as in Markdown."""
    lines = format_table(("", "ms"), [("newsintel", "1.5"), ("floor", "10.25")]).splitlines()
    assert lines == [
        "|           |    ms |",
        "| --------- | ----: |",
        "| newsintel |   1.5 |",
        "| floor     | 10.25 |",
    ]
