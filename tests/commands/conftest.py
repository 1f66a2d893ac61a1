"""Fixtures for tests of several commands."""

import logging
import os
from math import inf
from types import SimpleNamespace
from unittest.mock import patch

import pytest

from newsintel.commands import progress
from newsintel.commands.main import main
from tests.service import environ


@pytest.fixture(autouse=True)
def no_progress(monkeypatch):
    """A command that takes long on a busy machine prints no lines of progress."""
    monkeypatch.setattr(progress, "LINE_EVERY_S", inf)


@pytest.fixture
def newsintel(tmp_path, capfd):
    """Runs a command as `newsintel` does, but in this process.

    Returns its exit code and what it wrote.
    """

    def run(*args, **settings):
        root = logging.getLogger()
        handlers, level = root.handlers[:], root.level
        try:
            with patch.dict(os.environ, environ(tmp_path, **settings), clear=True):
                code = main(args)
        except SystemExit as refusal:
            code = refusal.code
        finally:
            root.handlers[:] = handlers
            root.setLevel(level)
        out, err = capfd.readouterr()
        return SimpleNamespace(returncode=code, stdout=out, stderr=err)

    return run
