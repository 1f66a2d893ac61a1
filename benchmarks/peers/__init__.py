"""Two FastAPI programs that do newsintel's core job: the obvious design and a careful one.

Neither is slowed down on purpose. They use newsintel's own pure functions for everything that is
not compared: query translation, parsing of payloads, grouping, scoring and the body. So all do the
same work on the same articles and send the same bytes.
"""
