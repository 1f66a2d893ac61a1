"""Reads numbers that were stored in Redis, where others may write anything."""


def parse_number(raw: bytes | None, most_digits: int) -> int | None:
    """Return a whole number of 0 or more; None if it is missing or no such number.

    The digits are bounded, because Python refuses to read a number of thousands of digits.
    """
    return int(raw) if raw is not None and raw.isdigit() and len(raw) <= most_digits else None
