"""VAT by rate and truck, and what a VAT return takes from sales."""

import re
from dataclasses import dataclass, field
from datetime import date, timedelta

import pandas as pd
import sqlalchemy as sa

from t3lib import business_day
from t3lib.metrics.display import Figures
from t3lib.metrics.money.vat_by_day import VAT
from t3lib.metrics.scope import Scope, bound
from t3lib.metrics.trust.batches import incomplete_days
from t3lib.problems import RefusedError
from t3lib.settings import settings

NEEDS_VAT = "The rate of VAT is not known: give metadata/costs.csv a line `vat` (0 percent without a VAT registration)."
_WHOLE_ONLY = "VAT is known for whole trucks and whole days only."
_QUARTER = re.compile(r"(\d{4})-?Q([1-4])", re.IGNORECASE)

_BY_RATE = f"""
WITH {VAT}
SELECT truck_id, coalesce(truck.name, 'Truck ' || truck_id || ' (not in details.xlsx)') AS truck,
       rate::float AS vat_rate_pct, sum(gross)::bigint AS gross_sales_pence, sum(pence)::bigint AS vat_pence,
       sum(gross - pence)::bigint AS net_sales_pence, sum(mixed)::bigint AS mixed_pence
FROM vat_lines LEFT JOIN core.truck USING (truck_id)
WHERE :all_trucks OR truck_id = ANY(CAST(:trucks AS integer[]))
GROUP BY truck_id, truck.name, rate
ORDER BY truck_id, rate DESC NULLS LAST"""


@dataclass(frozen=True)
class Quarter:
    """A quarter for VAT, the nth that ends in a year: business days first..last."""

    year: int
    number: int
    first: date
    last: date

    def __str__(self) -> str:
        return f"{self.year}-Q{self.number}"

    @property
    def dates(self) -> str:
        """1 Jul – 30 Sep 2026."""
        first = f"{self.first.day} {self.first:%b}" + (f" {self.first.year}" if self.first.year != self.year else "")
        return f"{first} – {self.last.day} {self.last:%b %Y}"


@dataclass(frozen=True)
class VatReturn(Figures):
    """What the boxes of a UK VAT return take from sales: `box1_pence` is the VAT due on sales, `box6_pounds` the sales
    without VAT in whole pounds (pence are left out). `caveats` say in words why the figures may still change."""

    quarter: Quarter
    box1_pence: int = field(metadata={"unit": "_pence"})
    net_sales_pence: int
    mixed_pence: int
    without_vat_pence: int
    caveats: tuple[str, ...]

    @property
    def box6_pounds(self) -> int:
        """Net sales in whole pounds."""
        return self.net_sales_pence // 100


def vat_by_rate(db: sa.Connection, scope: Scope) -> pd.DataFrame:
    """One row per truck and rate of VAT: truck_id, truck, vat_rate_pct, gross_sales_pence, vat_pence, net_sales_pence
    and mixed_pence.

    A rate that is not known is missing, and so are its VAT and net sales. `mixed_pence` of the gross sales are at
    prices of several dishes with different rates: the highest of them counts. Rounded once per business day and rate.

    >>> metrics.frame("vat_by_rate", week)[["truck", "vat_rate_pct", "gross_sales_pence", "vat_pence"]]
                 truck  vat_rate_pct  gross_sales_pence  vat_pence
    0  Burrito Madness          20.0               2100        351
    1    SuperSmoothie          20.0                499         83
    """
    if scope.locations or scope.payments or scope.menus or scope.until_hour is not None:
        raise RefusedError(_WHOLE_ONLY)
    result = db.execute(sa.text(_BY_RATE), bound(scope))
    found = pd.DataFrame(result.all(), columns=list(result.keys()))
    for name in ("vat_pence", "net_sales_pence"):
        found[name] = found[name].astype("Int64")
    return found


def quarter(text: str) -> Quarter:
    """The quarter that a text names, as 2026-Q3: the third that ends in 2026 (`T3_VAT_STAGGER`). Raises ValueError.

    >>> str(metrics.quarter("2026-Q3").last)
    '2026-09-30'
    """
    found = _QUARTER.fullmatch(text.strip())
    if not found:
        raise ValueError(f"{text[:40]!r} is not a quarter: write it like 2026-Q3.")
    return _quarter(int(found[1]), int(found[2]))


def quarter_of(day: date) -> Quarter:
    """The quarter that a business day lies in.

    >>> str(metrics.quarter_of(date(2026, 11, 5)))
    '2026-Q4'
    """
    numbered = ((year, number) for year in (day.year, day.year + 1) for number in (1, 2, 3, 4))
    return next(found for found in (_quarter(*one) for one in numbered) if day <= found.last)


def vat_return(db: sa.Connection, of: Quarter) -> VatReturn:
    """Boxes 1 and 6 from the sales of a quarter. Raises RefusedError where no rate of VAT is known.

    >>> found = metrics.ask(metrics.vat_return, metrics.quarter("2026-Q4"))
    >>> found.box1_pence, found.net_sales_pence, found.box6_pounds
    (1034, 5162, 51)
    """
    scope = Scope(of.first, of.last)
    found = vat_by_rate(db, scope)
    known = found[found["vat_rate_pct"].notna()]
    if known.empty and len(found):
        raise RefusedError(NEEDS_VAT)
    without = int(found.loc[found["vat_rate_pct"].isna(), "gross_sales_pence"].sum())
    return VatReturn(of, int(known["vat_pence"].sum()), int(known["net_sales_pence"].sum()),
                     int(known["mixed_pence"].sum()), without, tuple(_caveats(db, of)))  # fmt: skip


def _caveats(db: sa.Connection, of: Quarter) -> list[str]:
    today = business_day.today()
    said = [] if of.last < today else [f"The quarter is not over: it ends on {of.last:%-d %B %Y}."]
    until = min(of.last, today - timedelta(days=1))
    if until < of.first:
        return said
    recorded = db.scalar(sa.text("SELECT min(business_date) FROM mart.sales_hourly"))
    if recorded and recorded > of.first:
        said.append(f"Sales are known from {recorded:%-d %B %Y} on only.")
    late = sorted(incomplete_days(db, of.first, until).items())
    if late:
        days = "1 day has" if len(late) == 1 else f"{len(late):,} days have"
        said.append(f"{days} not all files, such as {late[0][0]:%-d %B}: {late[0][1]}.")
    return said


def _quarter(year: int, number: int) -> Quarter:
    """Quarters of stagger 1 end in March, of 2 in January, of 3 in February, and so on every three months."""
    ends = {1: 3, 2: 1, 3: 2}[settings().vat_stagger] + 3 * (number - 1)
    last = (date(year, ends, 28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    begins = ends - 2
    first = date(year, begins, 1) if begins > 0 else date(year - 1, begins + 12, 1)
    return Quarter(year, number, first, last)
