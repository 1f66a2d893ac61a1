"""Turns lexemes back into words as the text spells them, for readers."""

from collections.abc import Iterable, Sequence

from newsintel.domain.text.lexemes import make_lexeme
from newsintel.domain.text.tokens import split_words


def find_spellings(
    texts: Iterable[str | None], lexemes: Sequence[str], language: str
) -> tuple[str, ...]:
    """Return each lexeme as it is first spelled in some texts; without its language if in none.

    Overlapping letter pairs of scripts without spaces are joined: 強い, い地 and 地震 are 強い地震.

    Args:
        texts: searched in this order.
        lexemes: in the order wanted.
        language: the language of the texts.
    """
    first: dict[str, str] = {}
    for text in texts:
        if text and len(first) < len(lexemes):
            for start, end, some in _find_runs(text, set(lexemes) - first.keys(), language):
                first |= dict.fromkeys(some, text[start:end])
    return tuple(dict.fromkeys(first.get(one, one.rpartition(":")[2]) for one in lexemes))


def _find_runs(text: str, wanted: set[str], language: str) -> list[tuple[int, int, list[str]]]:
    """Return where lexemes first occur in a text: start, end, and which."""
    found: list[tuple[int, int, list[str]]] = []
    for token in split_words(text):
        if not wanted:
            break
        one = make_lexeme(token.word, language)
        if one not in wanted:
            continue
        wanted.discard(one)
        if found and token.unspaced and token.start < found[-1][1]:
            start, end, some = found.pop()
            found.append((start, max(end, token.end), [*some, one]))
        else:
            found.append((token.start, token.end, [one]))
    return found
