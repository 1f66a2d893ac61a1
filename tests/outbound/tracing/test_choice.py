"""Whether traces are sent, by the variables that OpenTelemetry's specification names."""

import pytest
from structlog.testing import capture_logs

from newsintel.outbound.tracing import choice
from newsintel.outbound.tracing.choice import Tracing, announce_tracing, choose_tracing

AT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"OTEL_SERVICE_NAME": "news"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": ""},
        {"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://collector:4318/v1/metrics"},
        AT | {"OTEL_SDK_DISABLED": "true"},
        AT | {"OTEL_SDK_DISABLED": " TRUE "},
        AT | {"OTEL_TRACES_EXPORTER": "none"},
    ],
)
def test_traces_are_off_without_a_word(environ):
    """No endpoint is set, or traces are switched off."""
    assert choose_tracing(environ) == Tracing()
    with capture_logs() as lines:
        announce_tracing(environ)
    assert lines == []


@pytest.mark.parametrize(
    ("more", "to"),
    [
        ({}, "collector:4318"),
        ({"OTEL_SDK_DISABLED": "false"}, "collector:4318"),
        ({"OTEL_SDK_DISABLED": "1"}, "collector:4318"),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, "collector:4318"),
        ({"OTEL_TRACES_EXPORTER": ""}, "collector:4318"),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, "collector:4318"),
        ({"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf",
          "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "collector:4318"),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://u:pw@traces.example/x"}, "traces.example"),
    ],
)  # fmt: skip
def test_traces_are_on(more, to):
    """An endpoint is set. The line at the start shows no password."""
    assert choose_tracing(AT | more).endpoint
    with capture_logs() as lines:
        announce_tracing(AT | more)
    assert lines == [{"event": "traces_on", "log_level": "info", "to": to}]


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        (
            {"OTEL_TRACES_EXPORTER": "console"},
            "OTEL_TRACES_EXPORTER is 'console', not otlp or none",
        ),
        (
            {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
            "OTEL_EXPORTER_OTLP_PROTOCOL is 'grpc', not http/protobuf",
        ),
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://[::1"},
            "the endpoint is not a URL: Invalid IPv6 URL",
        ),
    ],
)
def test_what_cannot_be_sent_is_said(more, reason):
    """One line at the start; the service starts nevertheless."""
    with capture_logs() as lines:
        announce_tracing(AT | more)
    assert lines == [{"event": "traces_off", "log_level": "warning", "reason": reason}]


def test_a_missing_extra_is_said(monkeypatch):
    """With an endpoint and without the packages, the line says what to install."""
    monkeypatch.setattr(choice, "PACKAGE", "no-such-distribution")
    with capture_logs() as lines:
        announce_tracing(AT)
    (line,) = lines
    assert (line["event"], line["log_level"]) == ("traces_off", "warning")
    assert "pip install 'newsintel[otel]'" in line["reason"]


def test_the_extra_installs_the_package():
    """The name that is looked for is one that `newsintel[otel]` requires."""
    from importlib.metadata import requires  # noqa: PLC0415

    assert any("opentelemetry-sdk" in one for one in requires(choice.PACKAGE))
