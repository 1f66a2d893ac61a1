"""A collector of traces on loopback. OpenTelemetry's own messages decode what it gets."""

import gzip
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from attrs import define, field
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from tests.waiting import wait_for

KINDS = {Span.SPAN_KIND_SERVER: "server", Span.SPAN_KIND_CLIENT: "client"}


@define(eq=False)
class Collector:
    """What arrived, and from where. Senders wait for their answers while `answering` is cleared."""

    url: str
    bodies: list[bytes] = field(factory=list)
    heads: list[dict[str, str]] = field(factory=list)
    peers: set[tuple[str, int]] = field(factory=set)
    status: int = 200
    answering: threading.Event = field(factory=threading.Event)
    asked: threading.Event = field(factory=threading.Event)

    @property
    def requests(self):
        """The decoded requests."""
        return [ExportTraceServiceRequest.FromString(body) for body in self.bodies]

    @property
    def spans(self):
        """All spans, in the order of their ends."""
        return [
            span
            for request in self.requests
            for of_process in request.resource_spans
            for of_scope in of_process.scope_spans
            for span in of_scope.spans
        ]

    @property
    def processes(self):
        """What each process says of itself, by `service.instance.id`."""
        found = [
            read(of_process.resource)
            for request in self.requests
            for of_process in request.resource_spans
        ]
        return {one["service.instance.id"]: one for one in found}

    def find(self, name, **wanted):
        """The spans of a name that have these values, by the last word of an attribute's name."""
        return [
            span
            for span in self.spans
            if span.name == name and wanted.items() <= shorten(read(span)).items()
        ]

    def wait_for(self, name, **wanted):
        """Wait until there is such a span; return all."""
        return wait_for(lambda: self.find(name, **wanted), f"a span {name!r} with {wanted}")

    def list_trace(self, trace_id):
        """The spans of a trace: name, kind, the parent's name (None = none that arrived)."""
        here = [span for span in self.spans if span.trace_id == trace_id]
        names = {span.span_id: span.name for span in here}
        return sorted(
            (span.name, KINDS.get(span.kind, "internal"), names.get(span.parent_span_id))
            for span in here
        )


def read(message):
    """The attributes of a span or a process."""
    return {one.key: _read_value(one.value) for one in message.attributes}


def shorten(attributes):
    """Attributes by the last words of their names. A list is not compared."""
    return {
        name.rpartition(".")[2]: value
        for name, value in attributes.items()
        if not isinstance(value, list)
    }


def is_failed(span):
    """Whether a span has the status of an error."""
    return span.status.code == Status.STATUS_CODE_ERROR


def _read_value(value):
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_read_value(one) for one in value.array_value.values]
    return getattr(value, kind)


@contextmanager
def collecting():
    """Run a collector in the block."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            """Take a request of OTLP."""
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.asked.set()
            found.peers.add(self.client_address)
            found.answering.wait()
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            if found.status == 200:
                found.heads.append({name.lower(): text for name, text in self.headers.items()})
                found.bodies.append(body)
            reply = ExportTraceServiceResponse().SerializeToString()
            self.send_response(found.status)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        def log_message(self, *_):
            """Write nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    found = Collector(f"http://127.0.0.1:{server.server_port}")
    found.answering.set()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield found
    finally:
        found.answering.set()
        server.shutdown()
        server.server_close()
        thread.join()
