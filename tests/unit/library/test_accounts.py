"""notebooks/accounts.toml: read, refused with the place of a mistake, described by its schema."""

import json
from pathlib import Path

import pytest

from t3lib.journal.accounts import accounts, schema
from t3lib.problems import RefusedError
from t3lib.settings import ROOT, SettingsError, settings


@pytest.fixture
def changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The file with one text replaced."""

    def change(old: str, new: str) -> None:
        text = (ROOT / "notebooks" / "accounts.toml").read_text()
        assert old in text
        (tmp_path / "accounts.toml").write_text(text.replace(old, new, 1))
        monkeypatch.setenv("T3_ACCOUNTS", str(tmp_path / "accounts.toml"))
        settings.cache_clear()

    yield change
    settings.cache_clear()


def test_the_schema_that_editors_show_is_the_one_that_counts():
    assert json.loads((ROOT / "notebooks" / "accounts.schema.json").read_text()) == schema()


def test_each_part_of_a_day_has_its_account():
    found = accounts()
    assert found.posted == ("goods", "cost card_fee")
    parts = ("payment card", "sales 20", "vat 5", "goods", "against goods", "cost card_fee", "against cost card_fee")
    assert [found.of_part(part).name for part in parts] == [
        "Card clearing", "Sales", "VAT on takings", "Cost of goods sold", "Stock", "Card fees", "Card clearing",
    ]  # fmt: skip
    assert found.of_part("cost wages") is None
    with pytest.raises(RefusedError, match="There is no layout 'sage': choose one of xero, quickbooks"):
        found.layout("sage")


@pytest.mark.parametrize(("old", "new", "said"), [
    ("corrections = \"export\"", "corections = \"export\"", "corections: Extra inputs are not permitted"),
    ("5 = {", "five = {", "'five' is not a rate of VAT"),
    ("date = \"%d/%m/%Y\"", "date = \"%d/%m\"", "leaves out the day, the month or the year"),
    ("\"*Amount\" = \"amount\"", "\"*Amount\" = \"debit\"", "an amount or both debit and credit"),
    ("\"*Amount\" = \"amount\"", "\"*Amount\" = \"total\"", "layouts.xero.columns.*Amount: Input should be"),
    ("[vat]", "[vat", "cannot be read"),
])  # fmt: skip
def test_a_mistake_is_refused_with_its_place(changed, old, new, said):
    changed(old, new)
    with pytest.raises(SettingsError) as refused:
        accounts()
    assert said in str(refused.value)


def test_another_program_is_another_table(changed):
    changed("[layouts.xero]", '[layouts.sage]\ntitle = "Sage"\nsource = "its manual"\naccount = "code"\n'
            'date = "%Y-%m-%d"\nmost_lines = 500\ncolumns = { No = "number", Day = "date", Account = "account", '
            'Amount = "amount" }\n\n[layouts.xero]')  # fmt: skip
    assert list(accounts().layout("sage").columns) == ["No", "Day", "Account", "Amount"]
