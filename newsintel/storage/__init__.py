"""PostgreSQL and Redis behind the ports.

Only this package imports asyncio, asyncpg, redis-py and Alembic.
"""
