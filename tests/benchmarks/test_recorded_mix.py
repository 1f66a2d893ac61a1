"""The invented mix of latencies that `newsintel deadlines` can be tried on."""

from benchmarks.recorded_mix import CALLS, SHAPES, main, mix
from newsintel.commands.measurements import read_lines
from newsintel.domain.operations.deadlines import measured, suggest


def test_it_is_always_the_same_and_whole():
    """The same on every run; every call of every source is in it, some cut short, some failed."""
    counts = mix().take()
    assert counts == mix().take()
    sources = measured(counts)
    for source in sources.values():
        assert source.ended.total + source.cut.total == CALLS
        assert source.ended.total > source.answered.total
    assert sources["reddit"].cut.total > sources["guardian"].cut.total


def test_its_lines_are_what_the_command_reads(tmp_path, capsys):
    """Printed and read again nothing is lost, and it is rich enough for the default target."""
    main()
    (tmp_path / "mix.jsonl").write_text(capsys.readouterr().out)
    counts = read_lines(str(tmp_path / "mix.jsonl"), tuple(SHAPES))
    assert counts == mix().take()
    assert set(suggest(measured(counts), 0.99)) == set(SHAPES)
