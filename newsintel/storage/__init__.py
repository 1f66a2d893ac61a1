"""PostgreSQL and Redis behind the ports. The only package that knows asyncio, asyncpg, redis-py and Alembic."""
