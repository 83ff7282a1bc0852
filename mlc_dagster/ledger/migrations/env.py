"""Alembic runs this: it migrates over the connection that `opening.migrate` holds, in its transaction."""

from alembic import context

from mlc_dagster.ledger.tables import TABLES

attributes = context.config.attributes
context.configure(
    connection=attributes["connection"],
    target_metadata=TABLES,
    version_table=attributes["version_table"],
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
