"""The normal form of a search: searches with the same meaning share it, and only it is shown.

It is a valid query and its own normal form: words folded, each once, in the order typed; phrases in
quotes; OR in capitals. So a person's own spelling is never shown, and filters (sources, dates,
language, order) do not separate searches for the same words.
"""

from collections.abc import Sequence

from newsintel.domain.search.query_model import Clause, Term
from newsintel.domain.text.grammar import MAX_CHARS, fold_case
from newsintel.domain.text.spelling import write_lexeme

MAX_BYTES = 512
"""In UTF-8. Nobody else types a longer query, and two of this size still fit into one row of an
index (2,704 bytes)."""


def write_normal_form(clauses: Sequence[Clause]) -> str | None:
    """Return a query's normal form; None if it is too long to be counted or searched for again."""
    text = " OR ".join(dict.fromkeys(map(_write_clause, clauses)))
    return text if len(text) <= MAX_CHARS and len(text.encode()) <= MAX_BYTES else None


def _write_clause(clause: Clause) -> str:
    unwanted = (f"-{_write_term(one)}" for one in clause.unwanted)
    return " ".join((*map(_write_term, clause.wanted), *unwanted))


def _write_term(term: Term) -> str:
    """Write a term, quoted only if it would otherwise be parsed differently."""
    return write_lexeme(fold_case(term.text), quoted=term.phrase)
