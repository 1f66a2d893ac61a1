"""A database in which a deletion of many rows reaches PostgreSQL's time limit."""

_TRIGGER = """
CREATE FUNCTION time_out_{table}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT count(*) FROM gone) > {most} THEN
        RAISE EXCEPTION USING ERRCODE = 'query_canceled';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER too_many AFTER DELETE ON {table} REFERENCING OLD TABLE AS gone
FOR EACH STATEMENT EXECUTE FUNCTION time_out_{table}()
"""


def slow_deletion(table: str, most: int) -> str:
    """SQL after which one statement cannot delete more than `most` rows of a table."""
    return _TRIGGER.format(table=table, most=most)
