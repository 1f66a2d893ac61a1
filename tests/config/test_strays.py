"""Names that were probably meant as settings are found, with the setting that was meant; other programs' names are left alone."""

import pytest

from newsintel.config.strays import Stray, find_strays

KNOWN = {"NEWSINTEL_GUARDIAN_KEY", "NEWSINTEL_GUARDIAN_KEY_FILE", "NEWSINTEL_BIND", "NEWSINTEL_LOG_FORMAT", "NEWSINTEL_SEARCH_DEADLINE_S"}


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("NEWSINTEL_GARDIAN_KEY", "NEWSINTEL_GUARDIAN_KEY"),
        ("NEWSINTEL_GUARDIAN_APIKEY", "NEWSINTEL_GUARDIAN_KEY"),
        ("NEWSINTEL_LOGFORMAT", "NEWSINTEL_LOG_FORMAT"),
        ("NEWSINTEL_SEARCH_DEADLINE", "NEWSINTEL_SEARCH_DEADLINE_S"),
        ("NEWSINTEL__BIND", "NEWSINTEL_BIND"),
        ("NEWSINTEL_bind", "NEWSINTEL_BIND"),
        ("newsintel_guardian_key", "NEWSINTEL_GUARDIAN_KEY"),
        ("NEWSINTEL.BIND", "NEWSINTEL_BIND"),
        ("NEWINTEL_BIND", "NEWSINTEL_BIND"),
        ("NEWSINTELL_LOG_FORMAT", "NEWSINTEL_LOG_FORMAT"),
        ("NEWSINTEL_FAVOURITE_COLOUR", None),
        ("NEWSINTEL_", None),
    ],
)
def test_stray_and_what_was_meant(name, meant):
    """Letters wrong, missing or too many, in the name and in the prefix; a name of ours that is like none is told without a guess."""
    assert find_strays({name: "x"}, KNOWN) == (Stray(name, meant),)


@pytest.mark.parametrize("name", ["NEWSLETTER_KEY", "NEWS_BIND", "BIND", "GUARDIAN_KEY", "PATH", "NEWINTEL_HOME", "NEWSINTEL_BIND"])
def test_others_are_left_alone(name):
    """Settings themselves, and what is not like any."""
    assert find_strays({name: "x"}, KNOWN) == ()


def test_stray_in_words():
    """With the guess, if there is one."""
    assert str(Stray("NEWSINTEL_X", None)) == "NEWSINTEL_X is not a setting"
    assert str(Stray("NEWSINTEL_BINDD", "NEWSINTEL_BIND")) == "NEWSINTEL_BINDD is not a setting; did you mean NEWSINTEL_BIND?"
