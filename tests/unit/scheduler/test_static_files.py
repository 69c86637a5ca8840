"""How long browsers may keep a static file."""

import gzip
import os
from pathlib import Path

import pytest

from scheduler.web import static_files


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("static/850.da890ad639378f2fe23f.js", "public, max-age=31536000, immutable"),
        ("t3/static/t3.css", "no-cache"),
        ("static/third-party-licenses.json", "no-cache"),
    ],
)
def test_only_names_with_a_digest_are_kept_for_good(path: str, kept: str):
    assert static_files.cache_control(path) == kept


@pytest.mark.parametrize(("digest", "kept"), [(True, True), ("c821cf40df95c863", True), ("1", False), ("", False)])
def test_an_address_with_a_digest_is_kept_for_good_too(digest: str | bool, kept: bool):
    assert ("immutable" in static_files.cache_control("t3/static/t3.css", digest)) == kept


def test_a_changed_file_changes_the_version_of_its_folder(tmp_path: Path):
    path = tmp_path / "a.js"
    path.write_text("old")
    before = static_files.digest_of([str(tmp_path)])
    assert static_files.digest_of([str(tmp_path)]) == before
    os.utime(path, ns=(1, 1))
    assert static_files.digest_of([str(tmp_path)]) != before


def test_changed_file_is_compressed_again(tmp_path: Path):
    path = tmp_path / "a.css"
    path.write_text("old")
    before = static_files.gzipped(str(path), 1)
    path.write_text("new")
    after = static_files.gzipped(str(path), 2)
    assert gzip.decompress(after[0]) == b"new"
    assert before[1] != after[1]
