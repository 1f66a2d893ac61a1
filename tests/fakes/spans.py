"""Spans that keep what they are told."""

from attrs import define, field


@define(eq=False)
class RecordedSpan:
    """A span, and its children."""

    name: str
    calls_out: bool = False
    children: list["RecordedSpan"] = field(factory=list)
    attributes: dict = field(factory=dict)
    links: list["RecordedSpan"] = field(factory=list)
    failure: str | None = None
    detail: str | None = None
    is_recording: bool = True

    def begin_child(self, name, *, calls_out=False):
        self.children.append(RecordedSpan(name, calls_out))
        return self.children[-1]

    def link(self, other):
        self.links.append(other)

    def rename(self, name):
        self.name = name

    def set(self, attributes):
        assert self.is_recording
        self.attributes |= {name: found for name, found in attributes.items() if found is not None}

    def fail(self, kind, detail=None):
        assert self.is_recording
        self.failure, self.detail = kind, detail

    def end(self):
        assert self.is_recording, f"{self.name} ended twice"
        self.is_recording = False
