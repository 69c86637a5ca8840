"""`t3 settlements`: what reached the bank, what is open and since when, and people's decisions about it."""

from typing import Annotated, Any

import typer

from scheduler.cli.dates import days_of
from scheduler.cli.options import By, Json, Truck, Why
from scheduler.cli.output import left_out, lines, print_json, say, table
from t3lib.money import pounds

app = typer.Typer()
Item = Annotated[str, typer.Argument(help="The item, as `t3 settlements --open` shows it.")]
Days = Annotated[str, typer.Option("--date", help="Only business day DATE, or DATE..DATE; all by default.")]


@app.callback()
def settlements(
    context: typer.Context,
    date: Days = "",
    truck: Truck = None,
    is_open: Annotated[bool, typer.Option("--open", help="List what is open instead, the latest first.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="Most items to list.")] = 50,
    json: Json = False,
) -> None:
    """Show how far the sales have reached the bank.

    Pence by state; with --open, each item that is open.

    Example: t3 settlements --date 2026-11-01..2026-11-30

    Example: t3 settlements --open --truck 3"""
    if context.invoked_subcommand:
        return
    from t3lib import metrics

    if is_open:
        rows = _asked(metrics.open_items, date, truck)
        left_out(min(limit, len(rows)), len(rows))
        _list(rows[:limit], json)
        return
    rows = _asked(metrics.proof_of_cash, date, truck)
    if json:
        print_json(rows)
        return
    columns = {"tender": "paid by", "state": "state", "amount": "amount", "items": "items"}
    table([_shown(row) for row in rows], columns, _NOTHING)


@app.command("ageing")
def ageing(date: Days = "", truck: Truck = None, json: Json = False) -> None:
    """Show how old what is open is.

    Example: t3 settlements ageing"""
    from t3lib import metrics

    rows = _asked(metrics.ageing, date, truck)
    if json:
        print_json(rows)
        return
    table([_shown(row) for row in rows], {"age": "late", "items": "items", "amount": "amount"}, _NOTHING)


@app.command("fees")
def fees(date: Days = "", json: Json = False) -> None:
    """Compare what each card provider kept with what metadata/costs.csv says.

    Example: t3 settlements fees --date 2026-11-01..2026-11-30"""
    from t3lib import metrics

    rows = _asked(metrics.card_fees_by_provider, date, None)
    if json:
        print_json(rows)
        return
    for row in rows:
        row |= {name: pounds(row[f"{name}_pence"]) for name in ("gross", "fee", "stated_fee", "fee_difference")}
        row["fee_pct"] = f"{row['fee_pct']:.2f}%"
    columns = {"provider": "provider", "gross": "card sales", "fee": "fees", "fee_pct": "of sales",
               "stated_fee": "by costs.csv", "fee_difference": "difference"}  # fmt: skip
    table(rows, columns, _NOTHING)


@app.command("show")
def show(item: Item, json: Json = False) -> None:
    """Show an item: the days it belongs to, its payout, and what people decided about it.

    Example: t3 settlements show payout/stripe/stripe-1/po_1NovQ"""
    from scheduler.cli.session import session
    from t3lib import warehouse
    from t3lib.settlements.causes import said
    from t3lib.warehouse.settlements import items

    with session("database"), warehouse.connect() as db:
        found = items.show(db, item)
    if json:
        print_json(found)
        return
    days = [_shown(row) | {"means": said(row["cause"])} for row in found["days"]]
    columns = {"business_date": "day", "truck_id": "truck", "state": "state", "amount": "amount",
               "expected_on": "expected", "means": "what it means"}  # fmt: skip
    table(days, columns, "")
    for name, what in (("payout", "Payout"), ("decisions", "Decisions")):
        for row in found[name]:
            lines([(what, ""), *((key.removesuffix("_pence").replace("_", " "), _value(key, value))
                                 for key, value in row.items())])  # fmt: skip


@app.command("explain")
def explain(item: Item, why: Why, by: By = "") -> None:
    """Say where the money of an open item is: it counts as settled then. Kept when files are replaced.

    Example: t3 settlements explain card/3/2026-11-05 --why "Paid out to the old account" """
    _decide(item, "explain", why, by)


@app.command("write-off")
def write_off(item: Item, why: Why, by: By = "") -> None:
    """Give up what is short or not explained: it stays short but is open no longer.

    Example: t3 settlements write-off cash/2/2026-11-05 --why "Stolen, police report 4711" """
    _decide(item, "write_off", why, by)


@app.command("undo")
def undo(item: Item, why: Why, by: By = "") -> None:
    """Take back the last decision about an item: what is open of it is open again.

    Example: t3 settlements undo cash/2/2026-11-05 --why "It was found" """
    _decide(item, "undo", why, by)


@app.command("match")
def match(json: Json = False) -> None:
    """Match sales, providers and bank again, now; workers do so within a minute of every change.

    Example: t3 settlements match"""
    from scheduler.cli.session import session
    from t3lib import warehouse
    from t3lib.warehouse.settlements import proof

    with session("database"), warehouse.connect() as db:
        found = proof.refresh(db)
    if json:
        print_json({"rows": len(found.rows), "payouts": len(found.payouts)})
        return
    say(f"Matched: {len(found.payouts):,} payouts. `t3 settlements` shows what is where.")


_NOTHING = "Nothing is matched yet: put payout files and bank statements into settlements/ and run `t3 ingest`."


def _asked(figure: Any, date: str, truck: int | None) -> list[dict[str, Any]]:
    """The rows of a figure, of some days or all, of a truck or all."""
    from scheduler.cli.session import session
    from t3lib import metrics, warehouse
    from t3lib.business_day import FIRST_DAY, LAST_DAY

    first, last = days_of(date, "--date") if date else (FIRST_DAY, LAST_DAY)
    with session("database"), warehouse.connect() as db:
        found = figure(db, metrics.Scope(first, last, trucks=() if truck is None else (truck,)))
    rows: list[dict[str, Any]] = found.astype(object).where(found.notna(), None).to_dict("records")
    return rows


def _decide(item: str, action: str, why: str, by: str) -> None:
    from scheduler.cli.session import session
    from t3lib import warehouse
    from t3lib.warehouse.files.audit import account
    from t3lib.warehouse.settlements import decisions

    with session("database"), warehouse.connect() as db:
        pence = decisions.decide(db, item, action, actor=by or account(), why=why)
    done = {"explain": "Explained", "write_off": "Written off", "undo": "Taken back"}[action]
    say(f"{done}: {pounds(pence)} of {item}.")


def _list(rows: list[dict[str, Any]], as_json: bool) -> None:
    from t3lib.settlements.causes import CAUSES

    if as_json:
        print_json(rows)
        return
    shown = [_shown(row) | {"means": CAUSES[row["cause"]][0], "late": f"{row['days_late']} days"} for row in rows]
    columns = {"late": "late", "amount": "amount", "state": "state", "truck": "truck", "means": "what it means",
               "item": "item"}  # fmt: skip
    table(shown, columns, "Nothing is open.")


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    """A row as a person reads it."""
    changed = {"amount": pounds(row["pence"])}
    if "state" in row:
        changed["state"] = row["state"].replace("_", " ")
    return row | changed


def _value(name: str, value: Any) -> str:
    return pounds(value) if name.endswith("_pence") or name == "pence" else str("" if value is None else value)
