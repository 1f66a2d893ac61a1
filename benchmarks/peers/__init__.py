"""Two services that do newsintel's core job as FastAPI programs: `obvious`, as most would write it, and `careful`.

Neither is slowed down on purpose, and what is not their point they borrow: the query's translation, the reading of payloads, the grouping,
the scoring and the body are newsintel's own pure functions, so that all do the same work on the same articles and send the same bytes.
"""
