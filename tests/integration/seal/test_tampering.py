"""No change of a sealed pack goes unseen."""

import json
import random
import shutil
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from t3lib.problems import RefusedError
from t3lib.seal import chain, keys, verify
from tests.integration.seal.tampering import KINDS, SALES, a_file_added_or_removed, rewrite, rows_of, sealed_again

ROUNDS = 10


def copy_of(pack: Path, folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    return Path(shutil.copytree(pack, folder))


def problems(folder: Path, key: str | None) -> list[str]:
    """What `verify` finds wrong; the reason of a refusal."""
    try:
        verdict = verify(folder, key)
    except RefusedError as error:
        return [str(error)]
    assert verdict.proven == (not any(one.problems for one in verdict.findings))
    return [problem for one in verdict.findings for problem in one.problems]


@pytest.mark.slow
def test_100_of_100_tamperings_are_found_and_the_file_is_named(pack, tmp_path):
    assert problems(pack, keys.own_public()) == []
    found = 0
    for seed in range(len(KINDS) * ROUNDS):
        by, kind = random.Random(seed), KINDS[seed % len(KINDS)]
        changed = copy_of(pack, tmp_path / "changed")
        where = kind(changed, by)
        said = problems(changed, keys.own_public())
        assert said, f"{kind.__name__} (seed {seed}) of {where} was not found"
        assert any(where in one for one in said), (kind.__name__, seed, where, said)
        found += 1
    assert found == 100


def test_a_changed_sale_is_named_by_file_row_and_figure(pack, tmp_path):
    changed = copy_of(pack, tmp_path / "changed")
    rows = rows_of(changed, SALES)
    rows[4][7] = str(int(rows[4][7]) + 100)
    lines = (changed / SALES).read_text().splitlines()
    lines[5] = ",".join([*rows[4], lines[5].rpartition(",")[2]])
    (changed / SALES).write_text("\n".join(lines) + "\n")
    said = problems(changed, keys.own_public())
    assert f"{SALES} was changed" in said
    assert f"{SALES}, row 5: it was changed, or a row was added or removed before it" in said
    [key] = [file[1] for file in rows_of(pack, "data/source_files.csv") if file[0] == rows[4][0]]
    assert any(one.startswith(f"data/source_files.csv: {key} has ") for one in said)
    assert any(one.startswith("figures.json, totals 2026-10-01 to 2026-10-31: gross_sales_pence is sealed as £")
               for one in said)  # fmt: skip


def test_a_forger_with_a_key_of_their_own_has_an_unknown_key_and_figures_that_do_not_follow(pack, tmp_path):
    changed = copy_of(pack, tmp_path / "changed")
    rows = rows_of(changed, SALES)
    rows[0][7] = "1"
    rewrite(changed, SALES, rows)
    sealed_again(changed, signed_by=Ed25519PrivateKey.generate())
    said = problems(changed, keys.own_public())
    assert said[0].startswith("signed by an unknown key, t3-ed25519:")
    assert any(one.startswith("figures.json, ") for one in said)


def test_a_pack_under_a_key_that_nobody_named_is_intact_but_not_proven(pack):
    verdict = verify(pack, None)
    assert verdict.intact
    assert not verdict.proven
    assert "signed by an unknown key" in verdict.findings[0].what
    assert verify(pack, keys.own_public()).proven


def test_what_points_out_of_the_pack_is_no_part_of_it(pack, tmp_path):
    changed = copy_of(pack, tmp_path / "changed")
    (tmp_path / "outside").write_bytes((changed / SALES).read_bytes())
    (changed / SALES).unlink()
    (changed / SALES).symlink_to(tmp_path / "outside")
    assert f"{SALES} was changed" in problems(changed, keys.own_public())
    manifest = json.loads((changed / chain.MANIFEST).read_bytes())
    manifest["parts"]["../outside"] = manifest["parts"].pop(SALES)
    (changed / chain.MANIFEST).write_bytes(chain.canonical(manifest))
    assert "../outside is missing" in problems(changed, keys.own_public())


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff", b'{"format":"t3-pack/1"}'])
def test_a_manifest_that_says_nothing_proves_nothing(pack, tmp_path, content):
    changed = copy_of(pack, tmp_path / "changed")
    (changed / chain.MANIFEST).write_bytes(content)
    assert problems(changed, keys.own_public())
    assert a_file_added_or_removed(changed, random.Random(1))
