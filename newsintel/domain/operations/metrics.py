"""The names, units and meanings of everything that is counted and measured."""

from collections.abc import Callable, Mapping

COUNTERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "outcomes": ("What sources answered.", ("source", "status")),
    "dropped_articles": ("Rows of a source's payload that were refused.", ("source", "reason")),
    "late_outcomes": ("Outcomes that came after their flight had landed.", ("source",)),
    "job_bugs": ("Bugs caught inside a fetch job.", ("source",)),
    "flight_bugs": ("Bugs caught inside a flight.", ()),
    "refusals": ("Messages that a full or closed inbox did not take.", ("inbox",)),
    "limited": ("Requests refused because a person's limit was spent.", ("policy",)),
    "lease_errors": ("Leases of a person's limit that this process took without Redis.", ("policy",)),
    "ledger_errors": (
        "Questions to Redis about a source's pace and quota that failed; this process went on by its own count.",
        ("source",),
    ),
    "cache_errors": ("Redis operations that failed and were done without.", ("operation",)),
    "cache_mismatches": ("Cached values that were unreadable or not of their key; treated as a miss.", ()),
    "archived_articles": ("Articles saved, new or refreshed.", ()),
    "dead_letters": ("Articles that can never be saved, put aside with the reason.", ()),
    "refused_pairs": ("Pairs of duplicates that the archive refused; left out.", ()),
    "lost_articles": ("Articles accepted and not saved: the archive stayed away longer than shutdown allows.", ()),
    "archive_retries": ("Batches tried again.", ()),
    "recorded_searches": ("Rows added to the search history.", ()),
    "trend_refreshes": ("Lists of trending searches made anew.", ("window",)),
    "trend_failures": ("Times that trends could not be counted; tried again within the minute.", ()),
    "closed_marks": ("Marks deleted because their day is over: of it only counts above the floor remain.", ()),
    "preferences_away": ("Searches answered without their person's preferences, which could not be read.", ()),
    "pruned_searches": ("Rows deleted from the search history because of their age.", ()),
    "searches": ("Searches answered, by how.", ("via",)),
    "connections_refused": ("Connections closed at once: too many were open, in all or of one address.", ("limit",)),
    "connections_cut": ("Connections ended because a time was over: for a head, a body, a send or the next request.", ("reason",)),
    "connection_errors": ("Connections that an error of ours ended; the log has the cause.", ()),
    "requests_refused": ("Requests that were no HTTP, or were cut, by the problem they were answered with.", ("code",)),
    "lost_latencies": ("Fetches whose latency Redis did not take; `newsintel deadlines` does not know of them.", ()),
    "indexed_articles": ("Articles of an older version whose words were read by this one.", ()),
    "index_failures": ("Times that such articles could not be read; tried again within a minute.", ()),
    "term_changes": ("Changes of archived texts that were added up to how many articles have each word.", ()),
    "term_failures": ("Times that such changes could not be added up; tried again within seconds.", ()),
    "save_count_failures": ("Times that it could not be learnt how many people saved what; tried again within the minute.", ()),
    "prune_failures": ("Times that old searches could not be deleted; tried again within the hour.", ()),
}
"""Every counter: its meaning and labels. To Prometheus a name is `newsintel_<name>_total`."""

HISTOGRAMS: dict[str, tuple[str, tuple[str, ...], tuple[float, ...]]] = {
    "fetch_seconds": (
        "How long a source took, from the moment a search wanted it to its outcome; waiting for its pace included.",
        ("source", "status"),
        # Closest where deadlines are set, 0.2 to 1.5 s: a percentile read off these is wrong by a quarter at most.
        (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.75, 0.9, 1.0, 1.25, 1.5, 2.0, 3.0),
    ),
    "http_request_seconds": (
        "How long a request took, from its head to the last byte of its answer.",
        ("route", "status"),
        # From a hit out of memory, half a millisecond, to past the default search deadline.
        (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 5.0),
    ),
}
"""Every histogram: its meaning, labels, and the upper ends of its buckets in seconds."""

GAUGES: dict[str, tuple[str, tuple[str, ...]]] = {
    "flights": ("Searches in the air.", ()),
    "connections": ("Connections open on the public port.", ()),
    "queue_depth": ("Messages that wait in an inbox.", ("inbox",)),
    "queue_room": ("Messages that an inbox can hold.", ("inbox",)),
    "queue_age_seconds": ("Since an inbox was last seen empty, looking at each reading: no message in it is older.", ("inbox",)),
    "source_ready": ("1 if a source would be asked now.", ("source",)),
    "source_blocked": ("1 while a source is left alone, with the reason.", ("source", "reason")),
    "quota_left": ("Calls left in the window of a source's quota.", ("source",)),
    "store_slots_used": ("Operations that run on a store now.", ("store",)),
    "redis_breaker_open": ("1 while Redis is left alone because it has not been answering.", ()),
    "build_info": ("Always 1; the labels tell what runs.", ("version", "commit")),
}
"""Every gauge: its meaning and labels."""

Samples = Mapping[tuple[str, tuple[tuple[str, str], ...]], float]
"""Values by name and labels, as Prometheus would read them at one moment."""

Reading = Callable[[], Mapping[tuple[str, ...], float]]
"""Reads a gauge: its values by the values of its labels."""
