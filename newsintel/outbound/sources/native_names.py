"""Names in their own script, compared with a Latin host: "العربية" is alarabiya.net.

Spellings of vowels differ, and many scripts write none. So the consonants are compared, and there
must be at least three of them.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from anyascii import anyascii

from newsintel.outbound.sources.outlet_words import is_press, split_name

_FEWEST_CONSONANTS = 3
_LATIN = re.compile(r"[a-z]", re.IGNORECASE)
_DOUBLED = re.compile(r"(.)\1+")
# Sounds that transliterations do not tell apart.
_SAME = str.maketrans("cqzj", "kksg")
_VOWELS = re.compile(r"[^b-df-hj-np-tx]|h(?![aeiouyw]*[b-df-hj-np-tvxz])")
"""What is left out: vowels, y, v and w, which many scripts write as vowels, and an h at the end."""


def split_scripts(tail: str) -> tuple[str, str]:
    """Return the words with Latin letters, and the words without.

    Digits and signs belong to the Latin words.
    """
    native = [word for word in tail.split() if not _LATIN.search(_strip(word)) and _strip(word)]
    latin = [word for word in tail.split() if word not in native]
    return " ".join(latin), " ".join(native)


def list_skeletons(labels: Iterable[str]) -> frozenset[str]:
    """Return the consonants of Latin names, with and without a leading article."""
    return frozenset(
        skeleton
        for label in labels
        if label.isascii()
        for skeleton in _list_variants(label)
        if len(skeleton) >= _FEWEST_CONSONANTS
    )


@lru_cache(maxsize=1024)
def is_native_name(name: str, skeletons: frozenset[str]) -> bool:
    """Return whether a name in another script has the consonants of one of the Latin names.

    Words of the press before and after it do not count.
    """
    words = name.split()
    while words and is_press(split_name(words[0])):
        del words[0]
    while words and is_press(split_name(words[-1])):
        del words[-1]
    found = {*_list_variants(anyascii(name)), *_list_variants(anyascii(" ".join(words)))}
    return not found.isdisjoint(skeletons)


def _list_variants(latin: str) -> set[str]:
    """Return the consonants: also without an h, which stands for a mark of the letter before it."""
    letters = _DOUBLED.sub(r"\1", re.sub("[^a-z]", "", latin.lower()).translate(_SAME))
    full = _VOWELS.sub("", letters)
    variants = {full, full.replace("h", "")}
    return variants | {skeleton.removeprefix("l") for skeleton in variants}


def _strip(word: str) -> str:
    return "".join(filter(str.isalpha, word))
