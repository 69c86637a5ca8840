"""A fleet of which October 2026 is sealed: four trucks, rows that were not loaded, a file that was corrected."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from t3lib import report
from t3lib.editions import edition
from t3lib.period import of
from t3lib.seal.writing import Sealed, seal
from t3lib.settings import settings
from tests.integration.metrics import example_fleet
from tests.support.feeding import at, put, take_in
from tests.support.reporting import executed

OCTOBER = of("month", date(2026, 10, 1))
LATE = "trucks/2026-10/28/18/T3_T6_B1.csv"
# At truck 6 two rates at one price, at truck 8 a dish without one beside one with; others have the 20 % of the costs.
MENU = ("truck_id,menu_item,menu_type,price,unit_cost,vat", "1,Burrito,Mexican,7.00,2.35,",
        "6,Mango smoothie,Drinks,4.99,1.20,0", "6,Mango bowl,Food,7.00,2.00,5", "6,Mango pie,Food,7.00,1.50,12.5",
        "8,Soup,Food,7.00,2.00,5", "8,Stew,Food,7.00,2.00,", "8,Bread,Food,12.99,,0")  # fmt: skip
_DIRT = (("10:05", "card", "7"), ("10:06", "cash", "VOID"), ("10:07", "card", "ERR"), ("10:09", "cash", "7"))


@dataclass(frozen=True)
class Fleet:
    """A folder with its bucket, key and packs, and its database."""

    folder: Path
    url: str

    @property
    def settings(self) -> dict[str, str]:
        """The T3_* variables of it."""
        return {"T3_DATABASE_URL": self.url, "T3_LANDING_URL": (self.folder / "bucket").as_uri(),
                "T3_PACK_KEY": str(self.folder / "keys" / "pack.key"), "T3_PACKS": str(self.packs)}  # fmt: skip

    @property
    def packs(self) -> Path:
        """The folder of its packs."""
        return self.folder / "packs"

    def fill(self) -> None:
        """The example fleet, and days with rows of two more trucks; one is dated to 2100, one to no day at all."""
        bucket = self.folder / "bucket"
        bucket.mkdir()
        for day in (3, 9, 17, 26):
            for truck in (1, 6, 8):
                key = f"trucks/2026-10/{day}/12/T3_T{truck}_C1.csv"
                put(bucket, key, *(at(*cells, day=f"2026-10-{day:02d}") for cells in _DIRT))
        odd = (at("10:05", "card", "7", day="2100-10-26"), "no time,card,7", at("10:06", "cash", "12.99", "2026-10-26"))
        put(bucket, "trucks/2026-10/26/15/T3_T8_D1.csv", *odd)
        example_fleet.fill(bucket, menu=MENU)

    def change(self) -> None:
        """A late file of October."""
        put(self.folder / "bucket", LATE, at("16:05", "cash", "4.99", day="2026-10-28"))
        take_in()

    def execute(self) -> tuple[Path, str | None]:
        """The report of October, as its notebook shows it."""
        day = report.read(OCTOBER.last.isoformat(), "cfo_month")
        return executed(day, self.folder), "0" * 40

    def seal(self, to: Path | None = None) -> Sealed:
        """Seal October."""
        settings.cache_clear()
        return seal(OCTOBER, edition("cfo_month"), to or self.packs, self.execute)
