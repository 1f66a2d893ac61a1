"""Progress of long commands: live on a terminal, sometimes a line in a log.

It never mixes with the output.
"""

from newsintel.commands import progress
from newsintel.commands.progress import ProgressCounter


def test_a_log_gets_a_line_now_and_then(capfd, monkeypatch):
    """A line after LINE_EVERY_S instead of one per batch, with count and rate.

    Messages have their own line.
    """
    with ProgressCounter("lines") as counter:
        counter.add(100)
        monkeypatch.setattr(progress, "LINE_EVERY_S", 0)
        counter.add(1400)
        counter.print_line("line 7: no title")
    out, err = capfd.readouterr()
    assert out == ""
    assert err.splitlines()[0].startswith("1,500 lines, ")
    assert err.splitlines()[1:] == ["line 7: no title"]


def test_a_terminal_gets_a_live_count(capfd, monkeypatch):
    """Messages stay above it, brackets included; if it is hidden, only messages are shown."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    for hidden in (False, True):
        with ProgressCounter("articles", hidden=hidden) as counter:
            counter.add(1234)
            counter.print_line("stopped [red]here")
        err = capfd.readouterr().err
        assert ("1,234 articles" in err) is not hidden
        assert "stopped [red]here" in err
