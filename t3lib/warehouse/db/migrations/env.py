"""Alembic environment: runs on the connection it is given, versions in schema ops."""

import sqlalchemy as sa
from alembic import context

connection = context.config.attributes["connection"]
connection.execute(sa.text("CREATE SCHEMA IF NOT EXISTS ops"))
context.configure(connection=connection, version_table="schema_version", version_table_schema="ops")
context.run_migrations()
