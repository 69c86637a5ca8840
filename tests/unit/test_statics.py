"""How long browsers may keep a static file."""

import gzip
from pathlib import Path

import pytest

from scheduler import statics


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("static/850.da890ad639378f2fe23f.js", "public, max-age=31536000, immutable"),
        ("t3/static/t3.css", "no-cache"),
        ("static/third-party-licenses.json", "no-cache"),
    ],
)
def test_only_names_with_a_digest_are_kept_for_good(path: str, kept: str):
    assert statics.lasting(path) == kept


def test_changed_file_is_compressed_again(tmp_path: Path):
    path = tmp_path / "a.css"
    path.write_text("old")
    before = statics.compressed(str(path), 1)
    path.write_text("new")
    after = statics.compressed(str(path), 2)
    assert gzip.decompress(after[0]) == b"new"
    assert before[1] != after[1]
