"""`t3 menu`: what menus, costs and pitches said from when until when, and applying today's to the past."""

from typing import Annotated, Any

import typer

from scheduler.cli.dates import day_of
from scheduler.cli.options import By, Json, Truck, Why
from scheduler.cli.output import print_json, say, table
from t3lib.money import pounds
from t3lib.problems import WrongUseError

app = typer.Typer()
_ROWS = {
    "menu": """
        SELECT item.truck_id, menu_item, menu_type, price_pence, unit_cost_pence, CAST(vat_pct AS float) AS vat_pct,
               lower(days) AS first_day, upper(days) - 1 AS last_day, coalesce(nullif(note, ''), key, '') AS said_by
        FROM core.menu_item AS item
        LEFT JOIN ops.source_file USING (file_id)
        WHERE CAST(:truck AS integer) IS NULL OR item.truck_id = :truck
        ORDER BY item.truck_id, menu_item, days
    """,
    "costs": """
        SELECT cost.truck_id, cost, CAST(amount AS float) AS amount, per, from_date AS first_day,
               to_date - 1 AS last_day, coalesce(nullif(note, ''), key, '') AS said_by
        FROM core.cost
        LEFT JOIN ops.source_file USING (file_id)
        WHERE CAST(:truck AS integer) IS NULL OR cost.truck_id = :truck
        ORDER BY cost.truck_id NULLS FIRST, cost, from_date
    """,
    "pitches": """
        SELECT pitch.truck_id, coalesce(location.name, 'Place ' || pitch.location_id) AS place, event, fee_pence,
               fee_per, CAST(fee_percent AS float) AS fee_percent,
               to_char(from_at AT TIME ZONE :zone, 'YYYY-MM-DD HH24:MI') AS begins,
               to_char(to_at AT TIME ZONE :zone, 'YYYY-MM-DD HH24:MI') AS ends,
               coalesce(nullif(note, ''), key, '') AS said_by
        FROM core.pitch
        LEFT JOIN core.location USING (location_id)
        LEFT JOIN ops.source_file USING (file_id)
        WHERE CAST(:truck AS integer) IS NULL OR pitch.truck_id = :truck
        ORDER BY pitch.truck_id, from_at
    """,
}
_COLUMNS = {
    "menu": {"truck_id": "truck", "menu_item": "dish", "menu_type": "type", "price": "price",
             "unit_cost": "unit cost", "vat": "VAT", "first_day": "from", "last_day": "to", "said_by": "by"},
    "costs": {"truck_id": "truck", "cost": "cost", "amount": "amount", "per": "per", "first_day": "from",
              "last_day": "to", "said_by": "by"},
    "pitches": {"truck_id": "truck", "place": "place", "event": "event", "fee": "fee", "begins": "from", "ends": "to",
                "said_by": "by"},
}  # fmt: skip


@app.callback()
def menu(
    context: typer.Context,
    truck: Truck = None,
    of: Annotated[str, typer.Option("--list", help="What is listed: menu, costs or pitches.")] = "menu",
    json: Json = False,
) -> None:
    """List the trucks' menus, costs and pitches with their days.

    Example: t3 menu --truck 3"""
    if context.invoked_subcommand:
        return
    import sqlalchemy as sa

    from scheduler.cli.session import session
    from t3lib import warehouse
    from t3lib.business_day import BEGINNING, END
    from t3lib.settings import settings

    if of not in _ROWS:
        raise WrongUseError(f"There is no list {of!r}: choose one of {', '.join(_ROWS)}.")
    with session("database"), warehouse.connect() as db:
        bound = {"truck": truck, "zone": settings().timezone}
        rows = [dict(row) for row in db.execute(sa.text(_ROWS[of]), bound).mappings()]
    for row in rows if of != "pitches" else ():
        row["first_day"] = None if row["first_day"] <= BEGINNING else row["first_day"]
        row["last_day"] = None if row["last_day"].year >= END.year - 1 else row["last_day"]
    if json:
        print_json(rows)
        return
    none = f"No {of} yet: put metadata/{of}.csv into the bucket and run `t3 ingest`."
    table([row | _shown(row) for row in rows], _COLUMNS[of], none)


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    """A row's values as a person reads them."""
    if "place" in row:
        fixed = f"{pounds(row['fee_pence'])} a {row['fee_per']}" if row["fee_per"] else ""
        share = f"{row['fee_percent']:g}% of sales" if row["fee_percent"] else ""
        return {"event": row["event"] or "", "fee": " and ".join(filter(None, (fixed, share)))}
    shown = {"first_day": row["first_day"] or "always", "last_day": row["last_day"] or "further on"}
    if "amount" in row:
        is_percent = row["per"] == "percent"
        shown |= {"truck_id": row["truck_id"] or "fleet",
                  "amount": f"{row['amount']:g}%" if is_percent else pounds(round(row["amount"]))}  # fmt: skip
        return shown | ({"per": ""} if is_percent else {})
    unit_cost, vat = row["unit_cost_pence"], row["vat_pct"]
    return shown | {"price": pounds(row["price_pence"]), "unit_cost": "" if unit_cost is None else pounds(unit_cost),
                    "vat": "" if vat is None else f"{vat:g}%"}  # fmt: skip


@app.command("apply")
def apply(
    start: Annotated[str, typer.Option("--from", help="The business day from which it is to count, DATE.")],
    why: Why,
    of: Annotated[str, typer.Option("--list", help="What is applied: menu, costs or pitches.")] = "menu",
    by: By = "",
) -> None:
    """Let what the menu (or the costs, or the pitches) says today count for days before, too.

    Without this, a new menu.csv or costs.csv counts from the day on which it was uploaded, and stays in the past that
    pitches.csv no longer names remain. Every day whose contribution or places change is recorded as a restatement, with
    your name and reason.

    Example: t3 menu apply --from 2026-11-01 --why "The supplier raised prices on the 1st" """
    from scheduler.cli.session import session
    from t3lib import warehouse
    from t3lib.metrics.money.margins import contributions
    from t3lib.settings import settings
    from t3lib.warehouse.files import batches
    from t3lib.warehouse.files.audit import account
    from t3lib.warehouse.load import applying

    day = day_of(start, "--from")
    with session("database"), warehouse.connect() as db:
        done = applying.apply(db, of, day, contributions, actor=by or account(), why=why)
        batches.claim(db, settings().batch_bytes)
    say(f"{done} `t3 ingest` cleans them." if done.files else str(done))
