"""What operators see: counters, and the log.

The log goes to standard error, as text on a terminal, else as one JSON object a line. Every line passes a redactor last, so that a secret
cannot leave through a message, an extra or a traceback, ours or a library's.
"""

import logging
import re
import sys
from typing import Any

import structlog
from prometheus_client import CollectorRegistry, Counter

from newsintel.settings import Settings

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
    "pruned_searches": ("Rows deleted from the search history because of their age.", ()),
    "prune_failures": ("Times that old searches could not be deleted; tried again within the hour.", ()),
}
"""Every counter: its meaning and labels. To Prometheus a name is `newsintel_<name>_total`."""


class Metrics:
    """The service's counters, in a registry of their own, so that two services in one process stay apart."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._counters = {
            name: Counter(f"newsintel_{name}", meaning, labels, registry=self.registry) for name, (meaning, labels) in COUNTERS.items()
        }

    def count(self, name: str, amount: float = 1, **labels: str) -> None:
        """Add to a counter; an unknown name or label is a bug and raises."""
        counter = self._counters[name]
        (counter.labels(**labels) if labels else counter).inc(amount)

    def value(self, name: str, **labels: str) -> float:
        """A counter's value, 0 if it never counted."""
        return self.registry.get_sample_value(f"newsintel_{name}_total", labels) or 0.0


_SPELLINGS = re.compile(
    r"(?i)((?:api-?key|access_token|refresh_token|client_secret|password)[\"']?\s*[=:]\s*[\"']?"
    r"|authorization[\"']?\s*[=:]\s*[\"']?(?:bearer |basic )?"
    r"|bearer )[^&\s\"'@,}]+"
    r"|(://[^:/@\s]*:)[^@/\s]+(?=@)"
)
"""How secrets are usually written down, for those that no setting holds (an upstream's token, say)."""


class Redactor(logging.Formatter):
    """Formats with another formatter, then puts stars in the place of every secret."""

    def __init__(self, inner: logging.Formatter, secrets: tuple[str, ...]) -> None:
        super().__init__()
        self._inner = inner
        # The longest first: a secret that contains another is then replaced whole.
        self._secrets = sorted((secret for secret in secrets if secret), key=len, reverse=True)

    def format(self, record: logging.LogRecord) -> str:
        """The record's line, without secrets."""
        line = self._inner.format(record)
        for secret in self._secrets:
            line = line.replace(secret, "***")
        return _SPELLINGS.sub(lambda found: f"{found[1] or found[2]}***", line)


def set_up_logging(settings: Settings, *, quiet: bool = False) -> None:
    """Send every library's and our own records to standard error.

    Args:
        settings: gives level, form and the secrets to hide.
        quiet: only errors, for commands whose own output is the point.
    """
    as_text = settings.log_format == "text" or (settings.log_format == "auto" and sys.stderr.isatty())
    # The plain traceback: a coloured one has escape codes inside a secret, which then matches nothing.
    renderer: Any = (
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback) if as_text else structlog.processors.JSONRenderer()
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.stdlib.ExtraAdder(),
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            *([] if as_text else [structlog.processors.format_exc_info]),
            renderer,
        ],
    )
    handler = logging.StreamHandler()
    handler.setFormatter(Redactor(formatter, settings.secrets()))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.ERROR if quiet else settings.log_level.upper())
    # Both log full URLs at INFO, the Guardian's key among them (encode/httpx#2760).
    for chatty in ("httpx", "httpcore"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
