"""The tables that analysts may read, in words: from the database's own comments. `t3 db tables > docs/tables.md`."""

from dataclasses import dataclass

import sqlalchemy as sa

SCHEMAS = {
    "mart": "Figures, and what is known of the files behind them. Ask `t3lib.metrics` first, which defines them.",
    "core": "Sales, trucks, places, menus and costs.",
    "ops": "The ledger of files, and the work of T3.",
}
_INTRODUCTION = """# Tables

What analysts may read: schemas, tables, views and their columns, from the comments in the database. In a notebook
`from t3lib.explore import tables`, then `tables.sales_hourly` says the same; [analysts.md](analysts.md) has the ways
to read one. This page is made by `t3 db tables > docs/tables.md`, and tested.
"""
# One row per column that t3_analyst may read; this role, where there is no t3_analyst. Without partitions: their table
# has their rows.
_COLUMNS = sa.text("""
    SELECT nspname AS schema, relname AS name, attname AS column, format_type(atttypid, atttypmod) AS type,
           obj_description(pg_class.oid, 'pg_class') AS about,
           col_description(pg_class.oid, attnum) AS column_about
    FROM pg_catalog.pg_class
    JOIN pg_catalog.pg_namespace ON pg_namespace.oid = relnamespace
    JOIN pg_catalog.pg_attribute ON attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped
    WHERE nspname IN ('mart', 'core', 'ops') AND relkind IN ('r', 'p', 'v', 'm') AND NOT relispartition
      AND has_column_privilege(coalesce(to_regrole('t3_analyst')::oid, current_user::regrole::oid),
                               pg_class.oid, attnum, 'SELECT')
    ORDER BY array_position(ARRAY['mart', 'core', 'ops'], nspname::text), relname, attnum
""")


@dataclass(frozen=True)
class Column:
    """A column: its type in SQL, and what it means."""

    name: str
    type: str
    about: str


@dataclass(frozen=True)
class Described:
    """A table or view: what one row of it is, and the columns that analysts may read."""

    schema: str
    name: str
    about: str
    columns: tuple[Column, ...]

    @property
    def full_name(self) -> str:
        """Schema and name, such as mart.sales_hourly."""
        return f"{self.schema}.{self.name}"


def described(db: sa.Connection) -> list[Described]:
    """Every table that analysts may read, those of `mart` first."""
    tables: dict[tuple[str, str, str], list[Column]] = {}
    for row in db.execute(_COLUMNS):
        found = tables.setdefault((row.schema, row.name, row.about or ""), [])
        found.append(Column(row.column, row.type, row.column_about or ""))
    return [Described(*named, tuple(columns)) for named, columns in tables.items()]


def markdown(db: sa.Connection) -> str:
    """docs/tables.md."""
    parts, found = [_INTRODUCTION], described(db)
    for schema, about in SCHEMAS.items():
        parts.append(f"\n## {schema}\n\n{about}\n")
        for table in found:
            if table.schema == schema:
                parts.append(
                    f"\n### {table.full_name}\n\n{table.about}\n\n| column | type | what it is |\n|---|---|---|\n"
                )
                parts += [f"| `{column.name}` | {column.type} | {column.about} |\n" for column in table.columns]
    return "".join(parts)
