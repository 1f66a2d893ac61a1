"""The names, units and meanings of all metrics."""

from collections.abc import Callable, Mapping

COUNTERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "outcomes": ("Outcomes of calls to sources.", ("source", "status")),
    "dropped_articles": ("Rows of a source's payload that were refused.", ("source", "reason")),
    "late_outcomes": ("Outcomes that came after their search had finished.", ("source",)),
    "job_bugs": ("Bugs caught inside a fetch job.", ("source",)),
    "flight_bugs": ("Bugs caught inside a search (a flight).", ()),
    "refusals": ("Messages that a full or closed inbox did not accept.", ("inbox",)),
    "limited": ("Requests refused because a person's limit was spent.", ("policy",)),
    "lease_errors": (
        "Leases of a person's limit that this process took without Redis.",
        ("policy",),
    ),
    "ledger_errors": (
        "Failed Redis queries about a source's pace and quota; this process used its own count.",
        ("source",),
    ),
    "cache_errors": (
        "Redis operations that failed; the service continued without them.",
        ("operation",),
    ),
    "cache_mismatches": (
        "Cached values that were unreadable or belonged to another key; treated as a miss.",
        (),
    ),
    "archived_articles": ("Articles saved, new or refreshed.", ()),
    "dead_letters": ("Articles that can never be saved, stored aside with the reason.", ()),
    "rechecked_articles": ("Archived articles that their source still has.", ("source",)),
    "withdrawn_articles": (
        "Articles deleted because their source deleted or withdrew them.",
        ("source",),
    ),
    "recheck_failures": (
        "Times that archived articles could not be checked at their source; tried again later.",
        ("source",),
    ),
    "pruned_articles": ("Articles deleted because of their age.", ("source",)),
    "bulk_files": ("Files of GDELT whose pages are archived.", ()),
    "bulk_failures": (
        "Times that GDELT's list or one of its files could not be read; tried again later.",
        (),
    ),
    "refused_pairs": ("Pairs of duplicates that the archive refused; left out.", ()),
    "lost_articles": (
        "Articles that were in an answer and are neither saved nor spooled: no place had room.",
        (),
    ),
    "spooled_rows": (
        "Articles, pairs and searches that wait for PostgreSQL, when they began to wait.",
        ("kind", "place"),
    ),
    "spool_refusals": (
        "Entries that a place of the spool did not take: it is full or away.",
        ("place", "reason"),
    ),
    "spool_torn_records": (
        "Unfinished records at the end of a file of the spool: its process ended while it wrote.",
        (),
    ),
    "drained_rows": ("Articles, pairs and searches saved from the spool.", ()),
    "archive_retries": (
        "Times that an entry of the spool could not be saved; tried again within seconds.",
        (),
    ),
    "recorded_searches": ("Rows added to the search history.", ()),
    "trend_refreshes": ("Lists of trending searches computed.", ("window",)),
    "trend_failures": (
        "Times that trends could not be counted; tried again within the minute.",
        (),
    ),
    "closed_marks": (
        "Marks deleted because their day is over; only counts above the floor remain of that day.",
        (),
    ),
    "preferences_away": (
        "Searches answered without their person's preferences, which could not be read.",
        (),
    ),
    "pruned_searches": ("Rows deleted from the search history because of their age.", ()),
    "searches": ("Searches answered, by how.", ("via",)),
    "connections_refused": (
        "Connections closed at once: too many were open, in total or of one address.",
        ("limit",),
    ),
    "connections_cut": (
        "Connections ended by a timeout: for a head, a body, a send or the next request.",
        ("reason",),
    ),
    "connection_errors": ("Connections that an error of ours ended; the log has the cause.", ()),
    "requests_refused": (
        "Requests that were not valid HTTP, or were cut, by the problem in the answer.",
        ("code",),
    ),
    "shed_requests": ("Reads answered 503 `busy` at once, because too many waited.", ()),
    "lost_latencies": (
        "Fetches whose latency Redis did not take; `newsintel deadlines` does not know of them.",
        (),
    ),
    "indexed_articles": ("Articles of an older version whose words this version indexed.", ()),
    "index_failures": (
        "Times that such articles could not be indexed; tried again within a minute.",
        (),
    ),
    "grouped_articles": ("Archived articles whose story was found; it may be a new one.", ()),
    "grouping_failures": (
        "Times that the stories of articles could not be found; tried again within seconds.",
        (),
    ),
    "term_changes": (
        "Changes of archived texts that were added to the article counts of words.",
        (),
    ),
    "term_failures": (
        "Times that such changes could not be added; tried again within seconds.",
        (),
    ),
    "save_count_failures": (
        "Times that the numbers of saves could not be read; tried again within the minute.",
        (),
    ),
    "polled_feeds": ("Polls of feeds, by what came of them.", ("status",)),
    "poll_failures": (
        "Times that the state of feeds could not be read or stored; tried again within seconds.",
        (),
    ),
    "matched_articles": ("Archived articles that were compared with the saved searches.", ()),
    "matching_failures": (
        "Times that new articles could not be matched with saved searches; tried again in seconds.",
        (),
    ),
    "alert_attempts": ("Attempts to send an alert, by what came of them.", ("kind", "outcome")),
    "delivery_failures": (
        "Times that the outbox of alerts could not be read or changed; tried again within seconds.",
        (),
    ),
    "prune_failures": (
        "Times that old searches or articles could not be deleted; tried again within the hour.",
        (),
    ),
}
"""Every counter: its meaning and labels. Its name in Prometheus is `newsintel_<name>_total`."""

HISTOGRAMS: dict[str, tuple[str, tuple[str, ...], tuple[float, ...]]] = {
    "fetch_seconds": (
        "Time from a search's request to a source to its outcome; includes the wait for its pace.",
        ("source", "status"),
        # Dense where deadlines are set, 0.2 to 1.5 s: the error of a percentile is at most a
        # quarter.
        (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.75, 0.9, 1.0, 1.25, 1.5, 2.0, 3.0),
    ),
    "http_request_seconds": (
        "How long a request took, from its head to the last byte of its answer.",
        ("route", "status"),
        # From a memory hit, half a millisecond, to above the default search deadline.
        (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 5.0),
    ),
    "loop_stall_seconds": (
        "How long the event loop looked for no input, each time that this took more than 5 ms.",
        (),
        # Up to the time after which the watchdog ends the process.
        (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0),
    ),
}
"""Every histogram: its meaning, labels, and the upper ends of its buckets in seconds."""

GAUGES: dict[str, tuple[str, tuple[str, ...]]] = {
    "flights": ("Running searches.", ()),
    "connections": ("Connections open on the public port.", ()),
    "requests_waiting": ("Reads whose response has not begun.", ()),
    "queue_depth": ("Messages that wait in an inbox.", ("inbox",)),
    "queue_room": ("Messages that an inbox can hold.", ("inbox",)),
    "queue_age_seconds": (
        "Time since a reading last found the inbox or the spool empty: nothing in it is older.",
        ("inbox",),
    ),
    "source_ready": ("1 if a source would be asked now.", ("source",)),
    "source_blocked": ("1 while a source is not asked, with the reason.", ("source", "reason")),
    "quota_left": ("Calls left in the window of a source's quota.", ("source",)),
    "store_slots_used": ("Operations that run on a store now.", ("store",)),
    "spool_bytes": (
        "Bytes that wait for PostgreSQL, by place, as this process last saw them.",
        ("place",),
    ),
    "redis_breaker_open": ("1 while Redis is not asked because it did not answer before.", ()),
    "tasks": ("Tasks of the event loop.", ()),
    "actor_silence_seconds": (
        "How long an actor has been at one piece of work without getting on; 0 while it waits.",
        ("actor",),
    ),
    "build_info": ("Always 1; the labels show which version runs.", ("version", "commit")),
}
"""Every gauge: its meaning and labels."""

SUMMED_GAUGES = frozenset(
    f"newsintel_{name}"
    for name in (
        *("flights", "connections", "requests_waiting", "queue_depth", "queue_room"),
        *("store_slots_used", "tasks"),
    )
)
"""The gauges that count something. The sum over all workers means something; of the other gauges,
and of those of a process, each worker has a series of its own, with the label `worker`.
"""

WORKER_METRICS = {
    "workers": ("gauge", "Workers that accept connections."),
    "worker_restarts": ("counter", "Workers that ended by themselves and were started again."),
}
"""The metrics of the supervisor: the type and meaning of each. One process alone has none."""

Samples = Mapping[tuple[str, tuple[tuple[str, str], ...]], float]
"""Values by name and labels, as Prometheus reads them at one moment."""

GaugeReader = Callable[[], Mapping[tuple[str, ...], float]]
"""Returns the values of a gauge by the values of its labels."""
