"""Words that second-language readers must decode do not come back."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
WORDS = (
    "whoever",
    "heed",
    "heeds",
    "afresh",
    "anew",
    "of whom",
    "likewise",
    "told of",
    "for whom nobody",
    "is of use",
    "as things stand",
    "nor does",
    "nor do",
    "at one go",
)
HARD = re.compile(
    r"(?<![\w'])(?:"
    + "|".join(word.replace(" ", r"\s+(?:#\s+)?") for word in WORDS)
    + r")(?![\w'])",
    re.IGNORECASE,
)
"""Also matches across a line end between two words, in a comment too."""
READ = (
    "newsintel/**/*.py",
    "newsintel/**/*.html",
    "newsintel/**/*.js",
    "docs/**/*.md",
    "README.md",
    "CHANGELOG.md",
)
FILES = sorted({path for pattern in READ for path in ROOT.glob(pattern)})


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_file_has_no_word_to_decode(path):
    """Docstrings, comments, messages and documents are checked."""
    text = path.read_text(encoding="utf-8")
    assert [
        f"line {text.count(chr(10), 0, found.start()) + 1}: {found[0]}"
        for found in HARD.finditer(text)
    ] == []


@pytest.mark.parametrize(
    "text", ["Whoever asks", "is told\n    of it", "what is told\n# of it", "made anew."]
)
def test_a_hard_word_is_found(text):
    """Also across a line end."""
    assert HARD.search(text)


@pytest.mark.parametrize("text", ["heeded", "renewal", "he told often", "someone whoever_else"])
def test_other_words_are_not_found(text):
    """Names in code do not match."""
    assert not HARD.search(text)
