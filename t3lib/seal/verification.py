"""The proof of a pack, without the database: what holds, what does not, and where."""

import csv
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import date
from math import isclose
from pathlib import Path
from typing import Any

from t3lib.problems import RefusedError
from t3lib.seal import chain, documents, keys, tables
from t3lib.seal.contents import CONTENTS
from t3lib.seal.figures import name_of, said
from t3lib.seal.recomputing import Rows, recompute
from t3lib.seal.rows import row_problems

MOST_SHOWN = 20


@dataclass(frozen=True)
class Finding:
    """One thing that was checked: whether it holds, and what was found otherwise (file, row, figure)."""

    what: str
    holds: bool
    problems: list[str] = field(default_factory=list)

    @property
    def lines(self) -> list[str]:
        """The same for people."""
        more = [f"and {len(self.problems) - MOST_SHOWN:,} more"] if len(self.problems) > MOST_SHOWN else []
        shown = [f"       - {one}" for one in [*self.problems[:MOST_SHOWN], *more]]
        return [f"{'holds' if self.holds else 'FAILS'}  {self.what}", *shown]


@dataclass(frozen=True)
class Verdict:
    """Everything that was checked of a pack. `key_known`: it is signed by the key that the verifier was told."""

    month: str
    revision: int
    key_known: bool
    findings: list[Finding]

    @property
    def intact(self) -> bool:
        """Whether everything agrees, whoever signed it."""
        return all(one.holds for one in self.findings)

    @property
    def proven(self) -> bool:
        """Whether everything agrees and the signature is of the key that the verifier was told."""
        return self.intact and self.key_known

    def as_dict(self) -> dict[str, Any]:
        """The same for programs."""
        return {"proven": self.proven, "intact": self.intact, **asdict(self)}


class UnreadablePackError(RefusedError):
    """A folder is no pack, or not enough of one is left to check; the text says why."""


def verify(folder: Path, key: str | None = None, sources: Path | None = None) -> Verdict:
    """Check a pack against a public key (without one nobody knows who signed it) and, with `sources`, the source files
    that one has. Raises UnreadablePackError for a folder without a readable manifest."""
    manifest, content = _manifest(folder)
    found, signer = chain.parts(folder), str(manifest.get("public_key"))
    findings = [_signature(folder, content, signer, key), _canonical(manifest, content)]
    findings += [_files(manifest, found), _chain(manifest, found)]
    read = {path: _table(folder, path, content.columns) for path, content in CONTENTS.items()}
    problems = [f"{path}, row {number:,}: {why}" for path, one in read.items() for number, why in one.problems]
    findings.append(
        Finding("every row of the tables: its check follows from it and the row before", not problems, problems)
    )
    findings += _recomputed(folder, manifest, read)
    if sources is not None:
        findings.append(_sources(sources, read["data/source_files.csv"]))
    return Verdict(str(manifest.get("month")), _whole(manifest.get("revision")), key == signer, findings)


def _manifest(folder: Path) -> tuple[dict[str, Any], bytes]:
    try:
        content = (folder / chain.MANIFEST).read_bytes()
    except OSError:
        raise UnreadablePackError(f"{folder} is no sealed pack: it has no {chain.MANIFEST}.") from None
    try:
        manifest = json.loads(content)
    except ValueError as error:
        raise UnreadablePackError(f"{folder / chain.MANIFEST} was changed: it cannot be read ({error}).") from None
    if not isinstance(manifest, dict) or manifest.get("format") != chain.FORMAT:
        raise UnreadablePackError(f"{folder / chain.MANIFEST} is not of format {chain.FORMAT}: use a newer T3.")
    return manifest, content


def _signature(folder: Path, content: bytes, signer: str, key: str | None) -> Finding:
    try:
        signature = (folder / chain.SIGNATURE).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return Finding("signature", False, [f"{chain.SIGNATURE} is missing or cannot be read"])
    if not keys.is_signed(content, signature, signer):
        return Finding("signature", False, [f"{chain.MANIFEST} is not what {signer} signed"])
    if key is None:
        return Finding(f"signature: signed by an unknown key, {signer}", True)
    if key != signer:
        return Finding("signature", False, [f"signed by an unknown key, {signer}, and not by {key}"])
    return Finding(f"signature: signed by the known key, {signer}", True)


def _canonical(manifest: dict[str, Any], content: bytes) -> Finding:
    same = _try(lambda: chain.canonical(manifest)) == content
    return Finding("manifest: written in its one form", same, [] if same else [f"{chain.MANIFEST}: written in another"])


def _files(manifest: dict[str, Any], found: dict[str, dict[str, Any]]) -> Finding:
    sealed = manifest.get("parts")
    sealed = sealed if isinstance(sealed, dict) else {}
    problems = [f"{path} is missing" for path in sorted(sealed.keys() - found.keys())]
    problems += [f"{path} was added" for path in sorted(found.keys() - sealed.keys())]
    problems += [f"{path} was changed" for path in sorted(sealed.keys() & found.keys()) if sealed[path] != found[path]]
    return Finding(f"files: {len(found)}, none changed, added or removed", not problems,
                   problems)  # fmt: skip


def _chain(manifest: dict[str, Any], found: dict[str, dict[str, Any]]) -> Finding:
    links = chain.chain(found)
    sealed = manifest.get("chain")
    pairs = zip(
        links, sealed if isinstance(sealed, list) and len(sealed) == len(links) else [None] * len(links), strict=True
    )
    broken = next((own["level"] for own, was in pairs if own != was), None)
    problems = [f"from {broken} on, the hashes are others than in {chain.MANIFEST}"] if broken else []
    return Finding(f"chain of hashes: {' → '.join(chain.LEVELS)}", not problems, problems)


def _table(folder: Path, path: str, columns: tuple[str, ...]) -> tables.Table:
    try:
        return tables.read(folder / path, columns)
    except (OSError, ValueError, csv.Error) as error:
        return tables.Table(list(columns), problems=[(0, f"it cannot be read ({error})")])


def _recomputed(folder: Path, manifest: dict[str, Any], read: dict[str, tables.Table]) -> Iterator[Finding]:
    """Rows against files, daily totals against rows, figures against both, documents against figures."""
    try:
        sealed = json.loads((folder / "figures.json").read_bytes())
        about, figures = sealed["about"], sealed["figures"]
        first, last = date.fromisoformat(about["first"]), date.fromisoformat(about["last"])
        began = date.fromisoformat(about["data_first"]) if about["data_first"] else None
        rows = Rows.of(read, first, last, began)
        yield from (Finding(what, not problems, problems) for what, problems in row_problems(rows, read))
        yield _month(manifest, about)
        yield _figures(rows, figures)
        unshown = documents.missing(folder, figures, about["sections"], about["first"])
        yield Finding("documents: page and text show the sealed figures", not unshown, unshown)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError) as error:
        said = f"what follows cannot be recomputed from what is left ({type(error).__name__}: {error})"
        yield Finding("figures and documents", False, [said])


def _month(manifest: dict[str, Any], about: dict[str, Any]) -> Finding:
    same = manifest.get("month") == about["first"][:7]
    return Finding("month: the manifest's is the figures'", same, [] if same else [f"{chain.MANIFEST}: another month"])


def _figures(rows: Rows, figures: list[dict[str, Any]]) -> Finding:
    problems, counted, left = [], 0, []
    for figure in figures:
        again, sealed = recompute(rows, figure), figure["values"]
        if again is None:
            left.append(figure["name"])
            continue
        counted += len(again)
        problems += [
            f"figures.json, {name_of(figure)}: {key} is sealed as {said(key, sealed.get(key))}, the rows give "
            f"{said(key, one)}"
            for key, one in again.items()
            if not _same(sealed.get(key), one)
        ]
        beyond, columns = sealed.keys() - again.keys(), {_column(key) for key in again if " " in key}
        problems += [f"figures.json, {name_of(figure)}: {key} is sealed as {said(key, sealed[key])}, the rows give no "
                     "such row" for key in sorted(beyond) if _column(key) in columns]  # fmt: skip
        rest = {_column(key) for key in beyond} - columns
        left += [f"{figure['name']} {name}" for name in sorted(rest)]
    beside = f"; sealed as read, not recomputed: {', '.join(dict.fromkeys(left))}" if left else ""
    return Finding(f"figures: {counted:,} values of {len(figures)} figures are what the rows give{beside}",
                   not problems, problems)  # fmt: skip


def _column(key: str) -> str:
    """The column of a cell of a breakdown; a cost or a single value by its whole name."""
    return key if key.startswith("costs/") else key.rpartition(" ")[2]


def _same(sealed: Any, again: Any) -> bool:
    if isinstance(sealed, float) and isinstance(again, float | int):
        return isclose(sealed, again, rel_tol=1e-9, abs_tol=1e-9)
    return type(sealed) is type(again) and sealed == again


def _sources(folder: Path, table: tables.Table) -> Finding:
    """The source files that are in a folder, against the hashes of what was loaded."""
    problems, same, lacking = [], 0, 0
    for row in table.rows:
        one = dict(zip(table.columns, row, strict=True))
        path = folder / one["key"]
        if one["state"] != "loaded" or not path.is_file() or not path.resolve().is_relative_to(folder.resolve()):
            lacking += one["state"] == "loaded"
        elif hashlib.sha256(path.read_bytes()).hexdigest() == one["content_sha256"]:
            same += 1
        else:
            problems.append(f"{one['key']} is not the file that was loaded")
    return Finding(f"source files: {same:,} are what was loaded; {lacking:,} are not there to compare", not problems,
                   problems)  # fmt: skip


def _whole(value: Any) -> int:
    return value if type(value) is int else 0


def _try(make: Callable[[], Any]) -> Any:
    try:
        return make()
    except ValueError:
        return None
