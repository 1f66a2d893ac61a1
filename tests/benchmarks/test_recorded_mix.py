"""The invented mix of latencies to try `newsintel deadlines` with."""

from benchmarks.recorded_mix import CALLS, SHAPES, main, make_mix
from newsintel.commands.measurements import read_measurements
from newsintel.domain.operations.deadlines import group_by_source, suggest_deadlines


def test_mix_is_reproducible_and_complete():
    """Every run gives every call of every source; some were cut off, some failed."""
    counts = make_mix().take()
    assert counts == make_mix().take()
    sources = group_by_source(counts)
    for source in sources.values():
        assert source.ended.total + source.cut.total == CALLS
        assert source.ended.total > source.answered.total
    assert sources["reddit"].cut.total > sources["guardian"].cut.total


def test_the_command_reads_the_printed_lines(tmp_path, capsys):
    """Printing and reading loses nothing, and there is enough for the default target."""
    main()
    (tmp_path / "mix.jsonl").write_text(capsys.readouterr().out)
    counts = read_measurements(str(tmp_path / "mix.jsonl"), tuple(SHAPES))
    assert counts == make_mix().take()
    assert set(suggest_deadlines(group_by_source(counts), 0.99)) == set(SHAPES)
