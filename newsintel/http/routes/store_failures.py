"""Failures of a store on the routes of sign-in and of sessions."""

from collections.abc import Iterator
from contextlib import contextmanager

from newsintel.errors import SignInUnavailableError, UnavailableError


@contextmanager
def report_store_failure(what: str) -> Iterator[None]:
    """Turn a store's failure into a SignInUnavailableError; else the problem names the archive.

    Args:
        what: what is not available, as the first words of a sentence, e.g. `Your sessions are`.
    """
    try:
        yield
    except UnavailableError as error:
        raise SignInUnavailableError(
            f"{what} not available right now. Try again in a moment."
        ) from error
