"""Names that were probably meant as settings are found, each with the most similar setting.

Names of other programs are ignored.
"""

import pytest

from newsintel.config.strays import UnknownName, find_unknown_names

KNOWN = {
    "NEWSINTEL_GUARDIAN_KEY",
    "NEWSINTEL_GUARDIAN_KEY_FILE",
    "NEWSINTEL_BIND",
    "NEWSINTEL_LOG_FORMAT",
    "NEWSINTEL_SEARCH_DEADLINE_S",
}


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
def test_a_misspelt_setting_is_found_with_the_one_that_was_meant(name, meant):
    """Letters may be wrong, missing or added, in the name or in the prefix.

    A name with our prefix that is not similar to any setting is found without a guess.
    """
    assert find_unknown_names({name: "x"}, KNOWN) == (UnknownName(name, meant),)


@pytest.mark.parametrize(
    "name",
    [
        "NEWSLETTER_KEY",
        "NEWS_BIND",
        "BIND",
        "GUARDIAN_KEY",
        "PATH",
        "NEWINTEL_HOME",
        "NEWSINTEL_BIND",
    ],
)
def test_settings_and_other_names_are_ignored(name):
    """Names of other programs are not similar enough."""
    assert find_unknown_names({name: "x"}, KNOWN) == ()


def test_the_message_has_the_guess_if_there_is_one():
    """The guess is a question."""
    assert str(UnknownName("NEWSINTEL_X", None)) == "NEWSINTEL_X is not a setting"
    assert (
        str(UnknownName("NEWSINTEL_BINDD", "NEWSINTEL_BIND"))
        == "NEWSINTEL_BINDD is not a setting; did you mean NEWSINTEL_BIND?"
    )
