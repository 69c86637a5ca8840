"""The glossary and the metrics say the same."""

from dataclasses import fields
from datetime import date

import sqlalchemy as sa

from t3lib import business_day, metrics
from t3lib.metrics.glossary import GLOSSARY, markdown
from t3lib.settings import ROOT

FIGURES = (
    metrics.Totals, metrics.Typical, metrics.DataQuality, metrics.Freshness, metrics.Contribution,
    metrics.Concentration, metrics.LikeForLike, metrics.PriceSpread, metrics.Completeness,
    metrics.Reconciliation, metrics.VatReturn, metrics.BankAgreement,
)  # fmt: skip
PROPERTIES = {"rejected_pct", "contribution_pence", "margin_pct", "labour_pence", "labour_share_pct",
              "card_fees_pence", "like_for_like_pct", "complete_pct", "rows_difference", "pence_difference",
              "agrees", "box6_pounds"}  # fmt: skip
ON_MENUS_AND_MAPS = {"dishes", "gatherings"}  # what is on a menu, who stands where: no figures
BREAKDOWNS = [getattr(metrics, name) for name in metrics.figures() if name not in ON_MENUS_AND_MAPS]
KEYS = {"business_date", "truck_id", "truck", "local_hour", "location_id", "location", "payment_type", "menu_type",
        "causes", "batch_date", "batch_hour", "first_day", "last_day", "tender", "cause", "item",
        "provider"}  # fmt: skip


def test_every_public_figure_has_an_entry_and_the_other_way_round(db: sa.Connection):
    day = metrics.Scope(date(2025, 11, 23), date(2025, 11, 23))
    db.execute(
        sa.text("INSERT INTO core.cost (cost, amount, per, from_date) VALUES ('vat', 20, 'percent', '2025-01-01')")
    )
    columns = {column for breakdown in BREAKDOWNS for column in breakdown(db, day)}
    columns |= set(metrics.truck_states(db, day.last))
    columns |= set(metrics.restated_days(db, *business_day.bounds(day.first), before=day.first))
    named = {field.name for figure in FIGURES for field in fields(figure)} | PROPERTIES | {"attention"}
    assert set(GLOSSARY) == named | (columns - KEYS)


def test_every_entry_is_complete():
    for entry in GLOSSARY.values():
        assert all(getattr(entry, field.name) for field in fields(entry)), entry.field
        assert entry.definition.endswith("."), entry.field


def test_kpis_page_is_the_glossary():
    page = ROOT / "docs" / "kpis.md"
    assert page.read_text() == markdown(), "run: python -m t3lib.metrics.glossary > docs/kpis.md"
