"""Checks the files of TLS that a URL names, so that a wrong one is reported before the start."""

import ssl
from collections.abc import Callable


def check_roots(name: str, path: str) -> None:
    """Raise ValueError unless a file holds root certificates, or lists of revoked ones.

    Args:
        name: the parameter that names the file.
        path: of the file.
    """
    _check(name, path, lambda context: context.load_verify_locations(cafile=path))


def check_certificate(name: str, path: str, key: str | None, password: str) -> None:
    """Raise ValueError unless a file holds our certificate, and `key` (or itself) its key."""
    _check(name, path, lambda context: context.load_cert_chain(path, key, lambda: password))


def _check(name: str, path: str, load: Callable[[ssl.SSLContext], None]) -> None:
    try:
        load(ssl.create_default_context())
    except ssl.SSLError:
        raise ValueError(f"has a {name} that names a file with invalid content: {path!r}") from None
    except OSError as error:
        raise ValueError(f"has a {name} that cannot be read ({error.strerror}): {path!r}") from None
