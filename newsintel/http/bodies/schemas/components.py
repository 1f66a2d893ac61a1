"""Every schema by the name that `ref` takes."""

from newsintel.http.bodies.schemas.alerts import ALERTS
from newsintel.http.bodies.schemas.archive import ARCHIVE
from newsintel.http.bodies.schemas.operations import OPERATIONS
from newsintel.http.bodies.schemas.parts import Schema
from newsintel.http.bodies.schemas.personal import PERSONAL
from newsintel.http.bodies.schemas.search import SEARCH

COMPONENTS: dict[str, Schema] = SEARCH | ARCHIVE | PERSONAL | ALERTS | OPERATIONS
