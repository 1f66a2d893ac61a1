"""Room in memory for what is on its way: a bound in bytes beside a queue's bound in messages."""


class Room:
    """Bytes that several values may take together.

    Args:
        max_bytes: how many.

    Attributes:
        taken_bytes: how many are taken now.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self.taken_bytes = 0

    def take(self, size_bytes: int) -> bool:
        """Take room for a value; False if there is not enough, and then none is taken."""
        if self.taken_bytes + size_bytes > self._max_bytes:
            return False
        self.taken_bytes += size_bytes
        return True

    def give_back(self, size_bytes: int) -> None:
        """Give up room that was taken."""
        self.taken_bytes -= size_bytes
