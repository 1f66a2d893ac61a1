"""What Alembic runs to migrate, in the transaction that `storage.postgres.migrate` has begun and will commit."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
with context.begin_transaction():
    context.run_migrations()
