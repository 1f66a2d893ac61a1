"""Terms as a reader would see them: the words of a text that stand behind its lexemes."""

from collections.abc import Iterable, Sequence

from newsintel.domain.text.lexemes import lexeme
from newsintel.domain.text.tokens import tokens


def as_written(texts: Iterable[str | None], lexemes: Sequence[str], language: str) -> tuple[str, ...]:
    """Each lexeme as it is first written in some texts; without its language if it is in none.

    Args:
        texts: in the order in which they are looked through.
        lexemes: in the order wanted.
        language: the texts'.
    """
    first: dict[str, str] = {}
    missing = set(lexemes)
    for text in texts:
        for token in tokens(text or ""):
            if not missing:
                break
            one = lexeme(token.word, language)
            if one in missing and text:
                missing.discard(one)
                first[one] = text[token.start : token.end]
    return tuple(first.get(one, one.rpartition(":")[2]) for one in lexemes)
