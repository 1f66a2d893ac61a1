"""Parameters of a URL that say where a reader came from, and not which page it is."""

import re

# No known site uses these names for the page itself. The list holds what the recorded feeds send,
# and the names that other projects publish (ClearURLs' global rules), without those that are too
# short to be clear: `spm`, `__s`, `mc`.
_PREFIXES = (
    "utm_", "at_", "pk_", "mtm_", "hsa_", "wt.", "guce_", "soc_", "ns_", "itm_", "otm_", "hmb_",
    "fb_action_", "oly_", "vero_", "ml_subscriber",
)  # fmt: skip
_NAMES = re.compile(
    "__hsfp|__hssc|__hstc|__source|__twitter_impression|_ga|_gl|_hsenc|_openstat|_r|"
    "action_(?:object|type|ref)_map|amp|amp_gsa|amp_js_v|ceneo_spo|cmp|cmpid|csp|dclid|dcmp|echobox|"
    "fb_ref|fb_source|fbclid|feedname|ftag|ga_(?:source|medium|campaign|content|term)|gbraid|gclid|gclsrc|gs_l|guccounter|hsctatracking|icid|"
    "igsh|igshid|intcid|intcmp|ito|mbid|mc_cid|mc_eid|mc_tc|mkt_tok|msclkid|ncid|ocid|os_ehash|"
    "partner|pgtype|rb_clickid|s_cid|sessionid|smid|smtyp|sr_share|sref|srsltid|taid|tracking_source|"
    r"traffic_source|trk|\.tsrc|ttclid|twclid|usqp|wbraid|wickedid|wt_z?mc|wtrid|xid|xtor|yclid"
)
# These names have other uses: only these values are tracking.
_PAIRS = frozenset(
    {("emc", "rss"), ("ref", "rss"), ("source", "rss"), ("cid", "rss"), ("feedtype", "rss")}
    | {("feature", "share"), ("feature", "youtu.be"), ("outputtype", "amp"), ("output", "amp")}
    | {("homepage", "true")}
)


def is_tracking(piece: str) -> bool:
    """Return whether a parameter, `name=value` as the URL has it, is no part of the page."""
    name, _, value = piece.lower().partition("=")
    return (
        name.startswith(_PREFIXES)
        or _NAMES.fullmatch(name) is not None
        or (name, value) in _PAIRS
        or (name == "cid" and value.startswith("sm_"))
    )
