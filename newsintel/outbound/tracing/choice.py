"""Decides from OpenTelemetry's standard variables whether traces are sent.

The SDK reads all the others itself. These few are read here, so that a service without traces need
not import it. An empty variable counts as unset, as the specification says.
"""

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, distribution
from urllib.parse import urlsplit

from attrs import frozen

from newsintel.runtime.telemetry.logs import get_logger

log = get_logger(__name__)

PACKAGE = "opentelemetry-exporter-otlp-proto-http"
"""What the extra `newsintel[otel]` installs; it requires the SDK."""

PROTOCOL = "http/protobuf"
"""The specification's default, and all that the extra speaks."""


@frozen
class Tracing:
    """The choice.

    Attributes:
        endpoint: where traces are sent; None = traces are off.
        problem: why they are off although an endpoint is set; None if that is wanted.
    """

    endpoint: str | None = None
    problem: str | None = None


def choose_tracing(environ: Mapping[str, str]) -> Tracing:
    """Return the choice of an environment."""
    endpoint = _find(environ, "ENDPOINT")
    exporter = environ.get("OTEL_TRACES_EXPORTER") or "otlp"
    disabled = environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    if endpoint is None or disabled or exporter == "none":
        return Tracing()
    if exporter != "otlp":
        return Tracing(problem=f"OTEL_TRACES_EXPORTER is {exporter!r}, not otlp or none")
    if (protocol := _find(environ, "PROTOCOL") or PROTOCOL) != PROTOCOL:
        return Tracing(problem=f"OTEL_EXPORTER_OTLP_PROTOCOL is {protocol!r}, not {PROTOCOL}")
    try:
        urlsplit(endpoint)
    except ValueError as error:
        return Tracing(problem=f"the endpoint is not a URL: {error}")
    try:
        distribution(PACKAGE)
    except PackageNotFoundError:
        return Tracing(problem="they need further packages: pip install 'newsintel[otel]'")
    return Tracing(endpoint)


def announce_tracing(environ: Mapping[str, str]) -> None:
    """Log where traces are sent, or why they are not although an endpoint is set."""
    chosen = choose_tracing(environ)
    if chosen.problem is not None:
        log.warning("traces_off", reason=chosen.problem)
    elif chosen.endpoint is not None:
        log.info("traces_on", to=urlsplit(chosen.endpoint).netloc.rpartition("@")[2])


def _find(environ: Mapping[str, str], name: str) -> str | None:
    """Return a variable of the exporter: that for traces, else that for all signals."""
    return (
        environ.get(f"OTEL_EXPORTER_OTLP_TRACES_{name}")
        or environ.get(f"OTEL_EXPORTER_OTLP_{name}")
        or None
    )
