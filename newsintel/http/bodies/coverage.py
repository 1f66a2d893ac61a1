"""The body of a story's coverage. Pure."""

from typing import Any

from newsintel.domain.archive.coverage import Coverage, Report
from newsintel.domain.text.moments import format_time


def build_coverage_body(coverage: Coverage) -> dict[str, Any]:
    """The body of GET /articles/{id}/coverage."""
    first = coverage.first
    return {
        "publishers": [_build_report(report) for report in coverage.reports],
        "countries": dict(coverage.countries),
        "languages": dict(coverage.languages),
        "hours": [
            {"start": format_time(hour), "count": count}
            for hour, count in sorted(coverage.hours.items())
        ],
        "first": _build_report(first) if first else None,
        "missing": list(coverage.missing),
    }


def _build_report(report: Report) -> dict[str, Any]:
    return {
        "publisher": report.publisher,
        "country": report.country,
        "language": report.language,
        "published_at": format_time(report.published_at),
        "url": report.url,
    }
