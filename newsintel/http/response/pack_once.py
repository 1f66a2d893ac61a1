"""Compresses an answer of the last seconds once for all who ask for it."""

from functools import partial

from quart import request

from newsintel.http.response.kept_answer import KeptAnswer
from newsintel.http.response.packing import pack_in_slices
from newsintel.http.services import Services
from newsintel.runtime.turns import run_in_turns


async def pack_once(services: Services, made: KeptAnswer) -> KeptAnswer:
    """Return the answer to the current request with its compressed form.

    If the same body is in memory in both forms, or is being compressed for another caller, it is
    not compressed again: all who came before the first answer was kept get here at once.
    """
    kept = services.search.kept.get((request.scope["path"], request.scope["query_string"]))
    if kept is not None and kept.packed is not None and kept.body == made.body:
        return made.add_packed(kept.packed.body)
    body = made.body
    return made.add_packed(await services.search.packing.make(body, partial(_pack, body)))


async def _pack(body: bytes) -> bytes:
    return await run_in_turns(pack_in_slices(body))
