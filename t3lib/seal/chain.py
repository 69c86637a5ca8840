"""The manifest of a pack: its parts by level, each with its hash, and the chain of hashes from files to documents."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FORMAT = "t3-pack/1"
MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
# Each level is made from those before it; its hash takes in the hash before.
LEVELS = ("source files", "sales", "daily totals", "figures", "documents")
_FILES = {
    "data/source_files.csv": "source files",
    "data/sales.csv": "sales",
    "data/rejected.csv": "sales",
    "figures.json": "figures",
}


def canonical(value: Any) -> bytes:
    """JSON of which there is one text only: sorted names, no blanks, no escapes but those that JSON needs."""
    return (
        json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False) + "\n"
    ).encode()


def level(path: str) -> str:
    """The level on which a part stands."""
    return _FILES.get(path) or ("daily totals" if path.startswith("data/") else "documents")


def parts(folder: Path) -> dict[str, dict[str, Any]]:
    """Every file of a folder by its path in it, but for manifest and signature: level, hash and size."""
    paths = sorted(path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    named = {path.relative_to(folder).as_posix(): path for path in paths}
    return {name: _part(name, path) for name, path in named.items() if name not in (MANIFEST, SIGNATURE)}


def chain(found: Mapping[str, Mapping[str, Any]]) -> list[dict[str, str]]:
    """One hash per level, over the level's parts and the hash before."""
    links: list[dict[str, str]] = []
    for name in LEVELS:
        own = {path: part["sha256"] for path, part in found.items() if part["level"] == name}
        before = links[-1]["sha256"] if links else ""
        content = canonical({"level": name, "before": before, "parts": own})
        links.append({"level": name, "sha256": hashlib.sha256(content).hexdigest()})
    return links


def _part(name: str, path: Path) -> dict[str, Any]:
    if path.is_symlink() or not path.is_file():  # what it points to may lie outside of the pack
        return {"level": level(name), "sha256": "a link", "bytes": 0}
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"level": level(name), "sha256": digest, "bytes": path.stat().st_size}
