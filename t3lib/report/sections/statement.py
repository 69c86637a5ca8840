"""What a buyer's accountant wants to know: how clean the data are, and whether files and sales agree."""

from t3lib.report import words
from t3lib.report.block import Block, Cell, section, table
from t3lib.report.buyers_pack import needed
from t3lib.report.day import Day


@section
def clean_rate(day: Day) -> Block:
    """By month, the share of rows that became sales."""
    found = needed(day.pack.clean_rate)
    rows = [
        [
            Cell(f"{row.period_first:%B %Y}"),
            Cell(f"{int(row.rows_read):,}"),
            Cell(f"{int(row.rows_rejected):,}"),
            Cell(words.share(row.clean_pct)),
        ]
        for row in found.itertuples()
    ]
    read, loaded = int(found["rows_read"].sum()), int(found["rows_loaded"].sum())
    if rows:
        share = words.share(100 * loaded / read if read else None)
        rows.append([Cell("Twelve months"), Cell(f"{read:,}"), Cell(f"{read - loaded:,}"), Cell(share)])
    note = "Rows that are no sale (voided, empty, unreadable) are kept with their raw text and a reason."
    columns = ["", "Rows read", "Not loaded", "Clean"] if rows else []
    return table("Clean data", columns, rows, note if rows else "No row in these twelve months.", total=True)


@section
def reconciliation(day: Day) -> Block:
    """The ledger of files against the sales that every figure is made of, to the row and the penny."""
    found = needed(day.pack.reconciliation)
    lines: list[tuple[str, int, int | None]] = [
        ("Rows read", found.ledger_rows_read, None),
        ("less rows not loaded", -found.ledger_rows_rejected, None),
        ("Rows loaded", found.ledger_rows_loaded, found.ledger_pence),
    ]
    if found.other_days_rows:
        lines.append(("less sales of other days in the same files", -found.other_days_rows, -found.other_days_pence))
    lines += [
        ("Sales in the figures", found.transactions, found.gross_sales_pence),
        ("Unexplained", found.rows_difference, found.pence_difference),
    ]
    rows = [[Cell(name), Cell(words.amount(count, "rows")), Cell(_money(pence))] for name, count, pence in lines]
    files = f"{found.ledger_files:,} {'file' if found.ledger_files == 1 else 'files'} loaded"
    not_loaded = found.ledger_files_not_loaded
    aside = f", {not_loaded:,} not loaded (unreadable or held)" if not_loaded else ""
    result = "Ledger and sales agree to the row and the penny" if found.agrees else "Ledger and sales do NOT agree"
    note = f"{result}: {files}{aside}." + ("" if found.agrees else " Operators: run t3 doctor.")
    note += " Here a row that was not loaded counts with its file, elsewhere on its own day."
    return table(f"Reconciliation of {day.period.dates}", ["", "Rows", "Pounds"], rows, note, total=True)


def _money(pence: int | None) -> str:
    return "" if pence is None else words.pounds(pence)
