"""Provider files and bank statements as records. A file with one faulty row is refused as a whole, with row and column
named; a file that fits no layout is held. Nothing is guessed."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, lru_cache
from pathlib import PurePosixPath
from typing import Any

from t3lib.business_day import business_date
from t3lib.feed import csv_records
from t3lib.feed.bounds import MOST_CHARACTERS, FeedError, require_rows, visible
from t3lib.feed.rows import text
from t3lib.money import parse_amount
from t3lib.settlements import ofx
from t3lib.settlements.layouts import NEXT, Bank, Layout, Layouts, zone

Record = dict[str, Any]
NO_LAYOUT = "held_layout"
_RELEASE = "add its layout to notebooks/settlements.toml and release it, or upload another export"


@dataclass(frozen=True)
class Statement:
    """What a file says: lines of a provider ('settlement') or of a bank ('bank_line'), as the tables hold them, and how
    many lines moved no money by the layout."""

    table: str
    lines: list[Record] = field(default_factory=list)
    no_money: int = 0


def read(key: str, data: bytes, known: Layouts) -> Statement:
    """The lines of one file under settlements/. Raises FeedError('unreadable' | 'bad_header' | 'held_layout')."""
    if not data:
        raise FeedError("unreadable", "The file is empty (0 bytes): upload it again.")
    if key.lower().endswith(".ofx"):
        found = [_classified(line, known) for line in ofx.lines(data, known.currency)]
        return Statement("bank_line", _identified(found, _bank_identity))
    rows = csv_records.split_header(text(data))
    names = [visible(name).strip() for name in rows.names]
    provider, layout = _layout(names, known)
    if twice := [name for name, times in Counter(names).items() if times > 1 and name in layout.columns]:
        raise FeedError("bad_header", f"The first line has the column {twice[0]} twice: keep one of them.")
    cells, account = _cells(rows, names), _account(key, provider)
    if isinstance(layout, Bank):
        lines = [_classified(_bank_line(row, layout, known, account), known) for row in cells]
        return Statement("bank_line", _identified(lines, _bank_identity))
    money = [row for row in cells if not _moved_none(row, layout)]
    lines = [_settlement(row, layout, known, provider, account) for row in money]
    return Statement("settlement", _identified(lines, _settlement_identity), len(cells) - len(money))


def _layout(names: list[str], known: Layouts) -> tuple[str, Layout | Bank]:
    """The name and the one layout whose columns are all there; where all columns of one are also in
    another, the larger one."""
    every: list[tuple[str, Layout | Bank]] = [
        (name, layout) for name, provider in known.providers.items() for layout in provider.layouts
    ]
    every += list(known.banks.items())
    fitting = [(name, one) for name, one in every if one.columns <= set(names)]
    best = [(name, one) for name, one in fitting if not any(one.columns < other.columns for _, other in fitting)]
    if len(best) == 1:
        return best[0]
    said = "fits no layout" if not best else f"fits {' and '.join(name for name, _ in best)}"
    raise FeedError(NO_LAYOUT, f"Its first line {said}: {_RELEASE}. It says: {', '.join(names)[:200]}.")


def _cells(rows: csv_records.Text, names: list[str]) -> list[Record]:
    """Rows by column name, with their place under the empty name; blank lines are skipped."""
    found = []
    for number, record in enumerate(csv_records.records(rows, lambda cells: len(cells) >= len(names)), 1):
        require_rows(number)
        if not any(cell.strip() for cell in record.cells):
            continue
        if len(record.cells) != len(names):
            said = f"Line {record.line:,} has {len(record.cells):,} cells, the first line {len(names)}"
            raise FeedError("unreadable", f"{said}: quote a cell that holds a comma.")
        stripped = (cell.strip()[:MOST_CHARACTERS] for cell in record.cells)
        found.append(dict(zip(names, stripped, strict=True)) | {"": record.line})
    return found


def _account(key: str, otherwise: str) -> str:
    """The account of a file that names none: the folder below settlements/, or else the layout's name."""
    parts = PurePosixPath(key).parts
    return parts[1] if len(parts) > 2 else otherwise


def _moved_none(row: Record, layout: Layout) -> bool:
    return any(row[column] in texts for column, texts in layout.no_money.items())


def _settlement(row: Record, layout: Layout, known: Layouts, provider: str, account: str) -> Record:
    """One line of a provider's file; amounts are positive for us. Raises FeedError."""
    _require_currency(row, layout.currency, known.currency)
    kind = _cell(row, layout.kind, lambda value: layout.kinds[value], f"none of {', '.join(layout.kinds)}"[:200])
    amount = _cell(row, layout.gross, _money(layout.unit), "an amount is needed")
    fee = _cell(row, layout.fee, _fee(layout), "an amount is needed") if layout.fee else 0
    if kind == "sale" and amount < 0 and layout.negative_sale == "refund":
        kind = "refund"
    gross, fee = (0, fee - amount) if kind == "fee" else (amount, fee)
    if layout.net and gross - fee != (net := _cell(row, layout.net, _money(layout.unit), "an amount is needed")):
        _refuse(row, layout.net, f"gross less fee is {(gross - fee) / 100:.2f}, not {net / 100:.2f}")
    moment = _moment(row, layout)
    # Which payout comes next is known to the matching, which has the lines of every file.
    next_payout = row[layout.id] if kind == "payout" else ""
    said = next_payout if layout.payout == NEXT else row[layout.payout]
    return {
        "provider": provider,
        "account": row[layout.account] if layout.account else account,
        "terminal": row[layout.terminal] if layout.terminal else "",
        "line_kind": kind,
        "line_id": row[layout.id],
        "occurred_at": moment.isoformat(),
        "business_date": business_date(moment).isoformat(),
        "gross_pence": gross,
        "fee_pence": fee,
        "net_pence": gross - fee,
        "payout_id": said,
        "payout_on": _cell(row, layout.payout_on, _day(layout.payout_on_formats), _DAY, empty=None)
        if layout.payout_on
        else None,
    }


def _bank_line(row: Record, layout: Bank, known: Layouts, account: str) -> Record:
    _require_currency(row, layout.currency, known.currency)
    if layout.amount:
        amount = _cell(row, layout.amount, _money("pounds"), "an amount is needed")
    else:
        credit, debit = (
            _cell(row, column or "", _money("pounds"), "an amount is needed", empty=0)
            for column in (layout.credit, layout.debit)
        )
        amount = credit - abs(debit)
    return {
        "account": row[layout.account] if layout.account else account,
        "line_id": row[layout.id] if layout.id else "",
        "booked_on": _cell(row, layout.on, _day(layout.on_formats), _DAY),
        "amount_pence": amount,
        "text": " ".join(" ".join(row[column] for column in layout.text).split()),
    }


def _classified(line: Record, known: Layouts) -> Record:
    """A bank line with its kind. What is neither payout nor cash keeps no text: statements hold wages, too."""
    upper = line["text"].upper()
    providers = [name for name, one in known.providers.items() if any(word.upper() in upper for word in one.bank_text)]
    is_cash = line["amount_pence"] > 0 and any(word.upper() in upper for word in known.cash.bank_text)
    if providers:
        return line | {"line_kind": "payout", "provider": providers[0]}
    return line | ({"line_kind": "cash", "provider": ""} if is_cash else _OTHER | {"_text": line["text"]})


def _settlement_identity(line: Record) -> str:
    return "|".join((line["provider"], line["account"], line["line_kind"], line["line_id"]))


def _bank_identity(line: Record) -> str:
    if line["line_id"]:
        return f"{line['account']}|{line['line_id']}"
    return "|".join((line["account"], line["booked_on"], str(line["amount_pence"]), line.pop("_text", line["text"])))


def _identified(lines: list[Record], identity: Callable[[Record], str]) -> list[Record]:
    """The lines with what makes each the same line in another file: the second of two equal lines of a file is the
    second of two in another one."""
    import hashlib

    seen: Counter[str] = Counter()
    for line in lines:
        said = identity(line)
        line.pop("_text", None)
        seen[said] += 1
        line["identity"] = hashlib.sha256(f"{said}|{seen[said]}".encode()).hexdigest()[:24]
    return lines


def _require_currency(row: Record, column: str | None, wanted: str) -> None:
    if column and row[column].upper() != wanted:
        _refuse(row, column, f"amounts are in {wanted}")


def _moment(row: Record, layout: Layout) -> datetime:
    said = " ".join(row[column] for column in layout.at)
    for form in layout.at_formats:
        try:
            found = datetime.strptime(said, form)
        except ValueError:
            continue
        return found if found.tzinfo else found.replace(tzinfo=zone(layout))
    return _refuse(row, layout.at[0], f"a time like {layout.at_formats[0]} is needed", said)


@cache
def _day(formats: tuple[str, ...]) -> Callable[[str], str]:
    @lru_cache(4096)
    def convert(value: str) -> str:
        for form in formats:
            try:
                return datetime.strptime(value, form).date().isoformat()
            except ValueError:
                continue
        raise ValueError(value)

    return convert


@cache
def _money(unit: str) -> Callable[[str], int]:
    @lru_cache(4096)
    def convert(value: str) -> int:
        if unit == "pence":
            return int(value)
        pence = parse_amount(value.replace("−", "-")).pence
        if pence is None:
            raise ValueError(value)
        return pence

    return convert


def _fee(layout: Layout) -> Callable[[str], int]:
    sign = -1 if layout.fee_sign == "negative" else 1
    return lambda value: sign * _money(layout.unit)(value) if value else 0


_OTHER = {"line_kind": "other", "provider": "", "text": ""}
_DAY = "a day in the layout's format is needed"
_NEEDED: Any = object()


def _cell(row: Record, column: str, convert: Callable[[str], Any], needed: str, *, empty: Any = _NEEDED) -> Any:
    """A cell, converted; `empty`: what an empty one means. Raises FeedError naming line and column."""
    value = row[column]
    if not value and empty is not _NEEDED:
        return empty
    try:
        return convert(value)
    except (ValueError, KeyError, TypeError):
        return _refuse(row, column, needed)


def _refuse(row: Record, column: str, needed: str, said: str | None = None) -> Any:
    value = row[column] if said is None else said
    raise FeedError("unreadable", f"Line {row['']:,}: {value[:60]!r} in column {column} ({needed}); nothing is loaded.")
