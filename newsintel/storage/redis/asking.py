"""A client for a slot that is moving: it sends ASKING first, on the connection of each command.

redis-py's cluster client sends ASKING on whichever connection is free, and the command on the next
one (8.1.0), so the target refuses the command as soon as two connections are open.
"""

from collections.abc import Iterable
from typing import Any

from redis.asyncio import Connection, Redis
from redis.asyncio.client import Pipeline

ASKING: tuple[tuple[str, ...], dict[str, Any]] = (("ASKING",), {})
"""Allows the next command, or the next transaction, to use a slot that the server imports (Redis
Cluster specification, "ASK redirection")."""


class AskingRedis(Redis):
    """Like `Redis`, but each command and transaction is allowed to use an imported slot."""

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """Run one command as a pipeline of one."""
        async with self.pipeline(transaction=False) as alone:
            alone.execute_command(*args, **options)
            (reply,) = await alone.execute()
        return reply

    def pipeline(
        self,
        transaction: bool = True,  # noqa: FBT001, FBT002 - as redis-py's
        shard_hint: str | None = None,
    ) -> Pipeline:
        """Return a pipeline that asks."""
        return _AskingPipeline(
            self.connection_pool, self.response_callbacks, transaction, shard_hint
        )


class _AskingPipeline(Pipeline):
    async def immediate_execute_command(self, *args: Any, **options: Any) -> Any:
        """Run a command between WATCH and MULTI."""
        if args[0] not in ("ASKING", "UNWATCH"):
            await super().immediate_execute_command("ASKING")  # type: ignore[no-untyped-call]
        return await super().immediate_execute_command(*args, **options)  # type: ignore[no-untyped-call]

    async def _execute_transaction(
        self,
        connection: Connection,
        commands: Any,
        raise_on_error: bool,  # noqa: FBT001 - as redis-py's
    ) -> Any:
        # Redis keeps the permission from MULTI until EXEC.
        await connection.send_command("ASKING")
        await connection.read_response()
        return await super()._execute_transaction(connection, commands, raise_on_error)

    async def _execute_pipeline(
        self,
        connection: Connection,
        commands: Iterable[Any],
        raise_on_error: bool,  # noqa: FBT001 - as redis-py's
    ) -> Any:
        asked = [one for command in commands for one in (ASKING, command)]
        return (await super()._execute_pipeline(connection, asked, raise_on_error))[1::2]
