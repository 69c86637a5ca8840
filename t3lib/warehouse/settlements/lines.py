"""Which lines of providers and banks count, where several files hold the same ones; and what is open."""

# Pence of mart.settled_daily that a person still has to look at.
IS_OPEN = "state IN ('short', 'over', 'not_explained') AND cause NOT IN ('explained', 'written_off')"
# Where a line that counted has gone, the same line of the newest other file counts.
COUNT_AGAIN = """
    UPDATE core.{table} AS line SET counts = true
    WHERE NOT counts AND NOT EXISTS (SELECT FROM core.{table} AS other WHERE other.identity = line.identity AND counts)
      AND file_id = (SELECT max(file_id) FROM core.{table} AS other WHERE other.identity = line.identity)
"""
TABLES = ("settlement", "bank_line")
