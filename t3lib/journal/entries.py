"""The lines of a business day's journal, and of what a correction adds to it: debits equal credits to the penny.

Every amount is a whole penny before it comes here (`t3lib.metrics`), so nothing is rounded."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from t3lib.journal.accounts import Accounts, Layout
from t3lib.metrics.money.postings import UNKNOWN
from t3lib.metrics.money.vat import NEEDS_VAT
from t3lib.problems import RefusedError

Parts = Mapping[str, int]  # pence by part; debits are positive, credits negative

_ORDER = ("payment", "sales", "vat", "goods", "cost")
_WORDS = {"goods": "Cost of goods", "against goods": "Goods taken from stock"}


@dataclass(frozen=True)
class Line:
    """A line of a journal: the part of the day, its account as the program knows it, and pence (debits positive)."""

    part: str
    account: str
    tax: str
    pence: int

    @property
    def description(self) -> str:
        """The part in words: Card sales, Sales at 20% VAT, VAT at 20%, Wages, Wages contra."""
        kind, _, of = self.part.partition(" ")
        if self.part in _WORDS:
            return _WORDS[self.part]
        if kind in ("sales", "vat"):
            return f"Sales at {of}% VAT" if kind == "sales" else f"VAT at {of}%"
        if kind == "payment":
            return f"{of.capitalize()} sales"
        cost = of.removeprefix("cost ").replace("_", " ").capitalize()
        return f"{cost} contra" if kind == "against" else cost


def signed(day: date, posted: Mapping[str, int], costs: Iterable[str]) -> dict[str, int]:
    """A day's postings as debits and credits by part; of its goods and costs those that are named.

    Raises RefusedError where a rate of VAT is not known, or debits and credits differ."""
    if f"sales {UNKNOWN}" in posted:
        raise RefusedError(f"{day}: {NEEDS_VAT}")
    parts: dict[str, int] = {}
    for part, pence in posted.items():
        if part.startswith("payment"):
            parts[part] = pence
        elif part.startswith(("sales", "vat")):
            parts[part] = -pence
        elif part in costs:
            parts |= {part: pence, f"against {part}": -pence}
    require_balance(day, parts)
    return parts


def difference(now: Parts, before: Parts) -> dict[str, int]:
    """What a correction posts, by part; empty where nothing changed."""
    changed = {part: now.get(part, 0) - before.get(part, 0) for part in {*now, *before}}
    return {part: pence for part, pence in changed.items() if pence}


def lines(parts: Parts, name: str, accounts: Accounts, locked: Mapping[str, str]) -> list[Line]:
    """The lines of a journal in a layout, in the order of an accountant. locked: the accounts that the parts of an
    exported day went to. Raises RefusedError for a part without an account."""
    layout = accounts.layout(name)
    found: list[Line] = []
    for part in sorted(parts, key=_place):
        account = accounts.of_part(part)
        if account is None and part not in locked:
            raise RefusedError(f"accounts.toml has no account for {part!r}: add it.")
        tax = account.tax.get(name, layout.tax) if account else layout.tax
        code = locked.get(part) or (getattr(account, layout.account) if account else "")
        found.append(Line(part, code, tax, parts[part]))
    return found


def require_balance(day: date, parts: Parts) -> None:
    """Raise RefusedError unless debits equal credits."""
    if apart := sum(parts.values()):
        raise RefusedError(f"{day}: debits and credits differ by {abs(apart)} pence. Run `t3 doctor`.")


def cells(line: Line, layout: Layout, journal: Mapping[str, str]) -> list[str]:
    """A line as a layout writes it. journal: narration, number and date."""
    amount = _pounds(abs(line.pence))
    values = {
        **journal, "": "", "description": line.description, "account": line.account, "tax": line.tax,
        "amount": amount if line.pence > 0 else f"-{amount}", "debit": amount if line.pence > 0 else "",
        "credit": amount if line.pence < 0 else "",
    }  # fmt: skip
    return [values[value] for value in layout.columns.values()]


def _pounds(pence: int) -> str:
    return f"{pence // 100}.{pence % 100:02d}"


def _place(part: str) -> tuple[int, str, bool, str]:
    """Payments, net sales, VAT; then each pair, the debit first."""
    bare = part.removeprefix("against ")
    kind = bare.partition(" ")[0]
    if kind in ("sales", "vat"):
        falling = f"{1000 - Decimal(bare.partition(' ')[2]):08.2f}"  # the highest rate first
        return _ORDER.index(kind), falling, False, part
    return _ORDER.index(kind), bare if kind in ("goods", "cost") else "", bare != part, part
