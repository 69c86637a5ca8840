"""The Postgres database: schemas ops (ledger), core (sales and dimensions) and mart (rollups)."""

from t3lib.warehouse.db.connection import connect, engine, hash_joins, newest, one_moment, upgrade

__all__ = ["connect", "engine", "hash_joins", "newest", "one_moment", "upgrade"]
