"""Responses that are kept for the next callers, and compressed once for all who ask for them."""

from functools import partial

from quart import Response, request

from newsintel.http.request.access import get_current_caller
from newsintel.http.response.conditional import respond_unless_held
from newsintel.http.response.kept_answer import KeptAnswer, keep_answer
from newsintel.http.response.packing import choose_form, is_worth_packing, pack_in_slices
from newsintel.http.services import Services
from newsintel.runtime.turns import run_in_turns


async def answer_kept(services: Services, made: KeptAnswer, now_s: float, *, hit: bool) -> Response:
    """Answer the current request, or with a 304, and keep the answer for the hit path.

    Args:
        services: have the kept answers.
        made: the answer, perhaps with its compressed form; it must be the same for everybody.
        now_s: Unix time.
        hit: whether it was in a cache.
    """
    scope, anonymous = request.scope, not get_current_caller().signed_in
    if made.packed is None and anonymous and is_worth_packing(made.body, scope["headers"]):
        made = await pack_once(services, made)
    keep_answer(services.search.kept, scope["path"], scope["query_string"], made)
    form = choose_form(made, scope["headers"]) if anonymous else made
    return respond_unless_held(form.body, form.build_headers(now_s, hit=hit), form.tag)


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
