"""`t3 vat`: what a VAT return takes from sales."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from scheduler.cli.options import Json
from scheduler.cli.output import out, print_json, say, table
from t3lib.money import pounds
from t3lib.problems import WrongUseError

if TYPE_CHECKING:
    from t3lib.metrics import VatReturn

app = typer.Typer(help="VAT: what a return takes from sales.", no_args_is_help=True)
_COLUMNS = {"truck_id": "truck", "truck": "name", "rate": "VAT rate", "gross": "gross sales", "vat": "VAT",
            "net": "net sales"}  # fmt: skip


@app.callback()
def _vat() -> None:
    """Keeps `return` a command of its own."""


@app.command("return")
def vat_return(
    quarter: Annotated[str, typer.Option(help="Like 2026-Q3; by default the latest that is over.")] = "",
    json: Json = False,
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV: a line per truck and rate, in pounds.")] = False,
) -> None:
    """Boxes 1 and 6 of a quarter's VAT return from its sales, by rate and truck.

    A quarter that is not over, or has days without all files, says so. T3_VAT_STAGGER says in which months quarters
    end.

    Example: t3 vat return --quarter 2026-Q3"""
    from scheduler.cli.session import session
    from t3lib import metrics, warehouse

    of = _quarter(quarter)
    with session("database"), warehouse.connect() as db:
        found = metrics.vat_return(db, of)
        rows = metrics.vat_by_rate(db, metrics.Scope(of.first, of.last)).astype(object)
    lines: list[dict[str, Any]] = rows.where(rows.notna(), None).to_dict("records")
    if json:
        print_json(_as_json(found, lines))
    elif csv:
        _print_csv(found, lines)
    else:
        _show(found, lines)


def _quarter(text: str) -> Any:
    """The quarter of the option, or the latest that is over. Raises WrongUseError."""
    from t3lib import metrics
    from t3lib.business_day import today

    try:
        if text:
            return metrics.quarter(text)
    except ValueError as error:
        raise WrongUseError(f"--quarter {error}") from None
    from datetime import timedelta

    return metrics.quarter_of(metrics.quarter_of(today()).first - timedelta(days=1))


def _as_json(found: "VatReturn", lines: list[dict[str, Any]]) -> dict[str, Any]:
    of = found.quarter
    return {"quarter": str(of), "first": of.first, "last": of.last, "box1_pence": found.box1_pence,
            "box6_pounds": found.box6_pounds, "net_sales_pence": found.net_sales_pence,
            "mixed_pence": found.mixed_pence, "without_vat_pence": found.without_vat_pence,
            "caveats": list(found.caveats), "lines": lines}  # fmt: skip


def _show(found: "VatReturn", lines: list[dict[str, Any]]) -> None:
    out().print(f"VAT return {found.quarter}, {found.quarter.dates}, from sales by business day")
    shown = [row | {"rate": _rate(row["vat_rate_pct"]), "gross": pounds(row["gross_sales_pence"]),
                    "vat": pounds(row["vat_pence"]), "net": pounds(row["net_sales_pence"])}
             for row in lines]  # fmt: skip
    table(shown, _COLUMNS, "No sales in this quarter.")
    out().print(f"Box 1, VAT due on sales: {pounds(found.box1_pence)}")
    out().print(f"Box 6, sales without VAT: £{found.box6_pounds:,} ({pounds(found.net_sales_pence)}, pence left out)")
    for said in (*notes(found), *found.caveats):
        say(said)


def notes(found: "VatReturn") -> list[str]:
    """What is to be known of the rates, in words."""
    said = []
    if found.mixed_pence:
        said.append(f"{pounds(found.mixed_pence)} of sales are at prices of dishes with several VAT rates: "
                    "the highest counts.")  # fmt: skip
    if found.without_vat_pence:
        said.append(f"{pounds(found.without_vat_pence)} of sales have no known VAT rate and are in neither box: "
                    "state it in menu.csv or costs.csv.")  # fmt: skip
    return said


def _print_csv(found: "VatReturn", lines: list[dict[str, Any]]) -> None:
    """On stdout; what is to be known of the figures goes to stderr."""
    import csv
    import sys

    from t3lib.metrics.spreadsheet import inert

    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(("quarter", "truck_id", "truck", "vat_rate_pct", "gross_sales", "vat", "net_sales"))
    for row in lines:
        amounts = (row[name] for name in ("gross_sales_pence", "vat_pence", "net_sales_pence"))
        rate = "" if row["vat_rate_pct"] is None else f"{row['vat_rate_pct']:g}"
        written = ("" if pence is None else f"{pence // 100}.{pence % 100:02d}" for pence in amounts)
        writer.writerow((found.quarter, row["truck_id"], inert(row["truck"]), rate, *written))
    for said in (*notes(found), *found.caveats):
        say(said)


def _rate(rate: float | None) -> str:
    return "not known" if rate is None else f"{rate:g}%"
