"""A limit in bytes for values in queues, in addition to a queue's limit in messages."""


class ByteBudget:
    """A number of bytes that several values share.

    Args:
        max_bytes: the maximum.

    Attributes:
        reserved_bytes: how many bytes are in use now.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self.reserved_bytes = 0

    @property
    def is_half_used(self) -> bool:
        """Whether more than half of the bytes are in use."""
        return self.reserved_bytes > self._max_bytes / 2

    def reserve(self, size_bytes: int) -> bool:
        """Reserve bytes for a value; False, without a reservation, if there are not enough."""
        if self.reserved_bytes + size_bytes > self._max_bytes:
            return False
        self.reserved_bytes += size_bytes
        return True

    def release(self, size_bytes: int) -> None:
        """Release reserved bytes."""
        self.reserved_bytes -= size_bytes
