"""Sealing a month: the same bytes again, a new revision after a change, and nothing half."""

import itertools
import json
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from pypdf import PdfReader

from t3lib import metrics
from t3lib.editions import edition
from t3lib.metrics.money.contribution import LABOUR
from t3lib.seal import chain, contents, documents, keys, verify, writing
from t3lib.seal.money import costs
from t3lib.settings import ROOT, SettingsError, settings
from tests.integration.seal.dying import BREAKS, FULL
from tests.integration.seal.sealing import LATE, OCTOBER, Fleet
from tests.support.feeding import rows, take_in
from tests.support.visitor import given

pytestmark = pytest.mark.slow


def content(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_pack_holds_every_row_and_every_query_of_the_month(fleet, pack):
    figures = json.loads((pack / "figures.json").read_bytes())
    tables = figures["tables"]
    [[sales, pence]] = rows("SELECT count(*), sum(total_pence) FROM core.sale WHERE business_date BETWEEN "
                            "'2026-10-01' AND '2026-10-31'")  # fmt: skip
    totals = next(one for one in figures["figures"] if (one["name"], one["first"]) == ("totals", "2026-10-01"))
    assert totals["values"] | {"transactions": sales, "gross_sales_pence": pence} == totals["values"]
    assert tables["data/sales.csv"]["rows"] == sales > 10
    assert tables["data/rejected.csv"]["rows"] == 12 * 2 + 2
    for figure in figures["figures"]:
        assert figure["queries"], figure["name"]
        assert all(query["sql"] and query["parameters"] is not None for query in figure["queries"])
    reconciled = next(one for one in figures["figures"] if one["name"] == "reconciliation")["values"]
    assert (reconciled["other_days_rejected"], reconciled["unknown_day_rejected"], reconciled["agrees"]) == (1, 0, True)
    again = [one for one in verify(pack, keys.own_public()).findings if one.what.startswith("figures: ")]
    assert "not recomputed" not in again[0].what
    assert costs.LABOUR == LABOUR


def test_the_same_month_gives_the_same_bytes_but_for_stated_metadata(fleet, pack, tmp_path):
    again = fleet.seal(tmp_path / "elsewhere").folder
    one, other = content(pack), content(again)
    assert {path for path in one if one[path] != other.get(path)} <= {chain.MANIFEST, chain.SIGNATURE}
    first, second = (json.loads(found[chain.MANIFEST]) for found in (one, other))
    assert first["metadata"].pop("sealed_at") <= second["metadata"].pop("sealed_at")
    assert first == second
    kept = fleet.seal()
    assert (kept.is_new, kept.folder, kept.revision) == (False, pack, 1)
    assert sorted(path.name for path in fleet.packs.iterdir()) == [".lock", "t3-pack-2026-10-r1"]


def test_a_month_that_changed_becomes_a_revision_that_names_what_changed(own_fleet):
    first = own_fleet.seal()
    own_fleet.change()
    second = own_fleet.seal()
    assert (second.revision, second.is_new, second.folder.name) == (2, True, "t3-pack-2026-10-r2")
    said = "\n".join(second.changes)
    assert f"source file new: {LATE}" in said
    assert "sales of 2026-10-28, truck 6: 0 (£0.00) became 1 (£4.99)" in said
    assert "figure totals 2026-10-01 to 2026-10-31, gross_sales_pence: " in said
    manifest = json.loads((second.folder / chain.MANIFEST).read_bytes())
    assert manifest["previous"] == {"revision": 1, "head": first.head, "changes": second.changes}
    assert verify(first.folder, keys.own_public()).proven
    assert verify(second.folder, keys.own_public()).proven
    assert PdfReader(second.folder / documents.PDF).metadata.title.endswith(" (corrected)")
    (second.folder / "data" / "sales.csv").open("a").write("x\n")
    with pytest.raises(writing.SealError, match="was changed, or signed with another key"):
        own_fleet.seal()


def died(fleet: Fleet, folder: Path, break_: str) -> int:
    """How a process ended that sealed, and whose disk was full or that was killed at a point of the work."""
    command = [sys.executable, "-m", "tests.integration.seal.dying", break_, str(fleet.folder), str(folder)]
    return subprocess.run(command, cwd=ROOT, timeout=60, check=False).returncode


def test_costs_named_like_the_goods_or_in_another_case_are_recomputed(own_fleet):
    """A truck's own cost replaces the fleet's, however it is spelled; a cost named like the goods is added to them."""
    costs_file = own_fleet.folder / "bucket" / "metadata" / "costs.csv"
    more = (",Packaging,0.10,sale,2026-10-01", "6,packaging,0.03,sale,2026-10-01",
            ",Cost of goods,1.5,percent,2026-10-01")  # fmt: skip
    costs_file.write_text("\n".join([costs_file.read_text().rstrip(), *more]) + "\n")
    take_in()
    assert verify(own_fleet.seal().folder, keys.own_public()).proven


@pytest.mark.parametrize("break_", ["full", *BREAKS])
def test_a_seal_that_ended_half_way_leaves_no_pack(fleet, tmp_path, break_):
    folder = tmp_path / "packs"
    assert died(fleet, folder, break_) == (FULL if break_ == "full" else -signal.SIGKILL)
    left = [path for path in folder.iterdir() if path.is_dir()]
    assert not any(path.name.startswith("t3-pack") for path in left)
    assert bool(left) == (break_ != "full")  # a killed process cannot clean up; the next seal does
    sealed = fleet.seal(folder)
    assert (sealed.revision, verify(sealed.folder, keys.own_public()).proven) == (1, True)
    assert [path.name for path in folder.iterdir() if path.is_dir()] == ["t3-pack-2026-10-r1"]


def test_figures_that_their_rows_do_not_give_are_not_sealed(fleet, tmp_path, monkeypatch):
    whole = contents.CONTENTS["data/sales.csv"]
    part = replace(whole, sql=whole.sql.replace("ORDER BY", "AND total_pence <> 499 ORDER BY"))
    monkeypatch.setitem(contents.CONTENTS, "data/sales.csv", part)
    with pytest.raises(writing.SealError, match="Nothing was sealed, as figures and rows do not agree: data/source_f"):
        fleet.seal(tmp_path / "packs")
    assert [path.name for path in (tmp_path / "packs").iterdir()] == [".lock"]


def test_a_load_while_the_report_is_made_makes_it_again(fleet, tmp_path, monkeypatch):
    known, versions, made = metrics.freshness, itertools.count(), []

    def executed():
        made.append(1)
        return fleet.execute()

    monkeypatch.setattr(metrics, "freshness", lambda db: replace(known(db), version=next(versions)))
    with pytest.raises(writing.SealError, match="kept changing"):
        writing.seal(OCTOBER, edition("cfo_month"), tmp_path, executed)
    assert len(made) == 3


def test_a_key_is_made_once_and_kept_for_this_account_alone(tmp_path, monkeypatch):
    path = tmp_path / "keys" / "pack.key"
    given(monkeypatch, T3_PACK_KEY=str(path))
    with pytest.raises(SettingsError, match="make one with `t3 pack key`"):
        keys.private()
    public, is_new = keys.make()
    assert (is_new, path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (True, 0o600, 0o700)
    assert keys.make() == (public, False)
    assert keys.given(public) == public
    (tmp_path / "public").write_text(public + "\n")
    assert keys.given(str(tmp_path / "public")) == public
    path.chmod(0o640)
    with pytest.raises(SettingsError, match="can be read by others"):
        keys.private()
    path.chmod(0o600)
    path.write_text("no key")
    with pytest.raises(SettingsError, match="is no private key"):
        keys.private()
    with pytest.raises(SettingsError, match="is no public key"):
        keys.given("t3-ed25519:abc")


@pytest.mark.parametrize("folder", [lambda: ROOT, lambda: settings().outputs, lambda: settings().home])
def test_a_key_is_not_kept_where_files_are_committed_copied_or_deleted(folder, monkeypatch):
    given(monkeypatch, T3_PACK_KEY=str(folder() / "pack.key"))
    with pytest.raises(SettingsError, match="keep the private key elsewhere"):
        keys.make()
