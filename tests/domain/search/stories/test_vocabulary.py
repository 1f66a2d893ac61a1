"""The lists are read once, before the first title."""

import inspect

import pytest

from newsintel.domain.search.stories import (
    lists,
    parsed_title,
    parts,
    reading,
    tokens,
    vocabulary,
)
from newsintel.domain.search.stories.parsed_title import parse_title
from newsintel.domain.search.stories.similarity import compare_titles
from newsintel.domain.search.stories.vetoes import find_veto
from newsintel.domain.search.stories.vocabulary import load_lists

TITLES = (
    "US President lifts ban on 5.2 million cars on Tuesday, May 5",
    "PM quits after 12 die in quake near Kyiv",
    "東京で地震 加息 12月5日",
    "Россия и Украина: переговоры в Киеве 5 мая",
    "News quiz of the week: how well do you know it?",
    "",
)


def forget():
    """Empty every cache, as at the start of a process."""
    for module in (lists, vocabulary, tokens, reading, parts, parsed_title):
        for _, function in inspect.getmembers(module, callable):
            getattr(function, "cache_clear", lambda: None)()


def test_no_title_reads_a_list(monkeypatch):
    """Reading the lists takes a tenth of a second, during which nobody else is served."""
    forget()
    load_lists()
    for module in (lists, vocabulary):
        monkeypatch.setattr(module, "read_lines", None)
    for title in TITLES:
        for other in TITLES:
            compare_titles(parse_title(title), parse_title(other))
            find_veto(parse_title(title), parse_title(other))


def test_without_the_lists_a_title_cannot_be_read(monkeypatch):
    """The test above can fail."""
    forget()
    for module in (lists, vocabulary):
        monkeypatch.setattr(module, "read_lines", None)
    with pytest.raises(TypeError):
        parse_title("Some title")
