"""Sealing: a month's pack is written beside its place, verified, signed, and renamed into it as a whole."""

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from t3lib import metrics, warehouse
from t3lib.editions import Edition
from t3lib.period import Period
from t3lib.problems import RefusedError
from t3lib.report.snapshot import Snapshot
from t3lib.seal import chain, changes, contents, documents, figures, keys
from t3lib.seal.verification import UnreadablePackError, verify
from t3lib.settings import settings

MOST_SAID = 3
_ATTEMPTS = 3
_README = Path(__file__).with_name("readme.txt")


class SealError(RefusedError):
    """A pack cannot be sealed; the text says why."""


@dataclass(frozen=True)
class Sealed:
    """A sealed pack: its folder, revision and last hash; `is_new` is false where nothing had changed since."""

    folder: Path
    revision: int
    head: str
    public_key: str
    is_new: bool
    changes: list[str] = field(default_factory=list)


def seal(days: Period, one: Edition, folder: Path, execute: Callable[[], tuple[Path, str | None]]) -> Sealed:
    """Seal a month's pack in a folder of packs; the first is revision 1, a later one names what changed.

    `execute` runs the report and gives the executed notebook and its commit. Report and figures are of the same
    version of the database: the report is run again if a load came between. Raises SealError."""
    key = keys.private()  # first: a missing key should fail before the work
    folder.mkdir(parents=True, exist_ok=True)
    for _ in range(_ATTEMPTS):
        with warehouse.connect() as db:
            before = metrics.freshness(db).version
        executed, commit = execute()
        snapshot = Snapshot.of(days)
        try:
            if metrics.freshness(snapshot.db).version == before:
                with _locked(folder), _beside(folder / f".t3-pack-{days.first:%Y-%m}.partial") as place:
                    pack = _Pack(days, one, folder, place, snapshot, executed, commit)
                    return pack.seal(key)
        finally:
            snapshot.close()
    raise SealError("The figures kept changing while the pack was made: seal it again when no load runs.")


@dataclass
class _Pack:
    """One pack that is being made."""

    days: Period
    one: Edition
    folder: Path
    place: Path
    snapshot: Snapshot
    executed: Path
    commit: str | None

    @property
    def month(self) -> str:
        return f"{self.days.first:%Y-%m}"

    def seal(self, key: Any) -> Sealed:
        revision, earlier = self._latest(keys.public(key))
        self._write(corrected=earlier is not None)
        parts = chain.parts(self.place)
        links = chain.chain(parts)
        if earlier is not None:
            was = json.loads((earlier / chain.MANIFEST).read_bytes())
            made_from = chain.LEVELS.index("figures")
            if was["chain"][made_from] == links[made_from]:
                return Sealed(earlier, revision - 1, was["chain"][-1]["sha256"], keys.public(key), False)
        previous = self._previous(earlier) if earlier is not None else None
        manifest = {
            "format": chain.FORMAT,
            "month": self.month,
            "edition": self.one.name,
            "revision": revision,
            "parts": parts,
            "chain": links,
            "previous": previous,
            "public_key": keys.public(key),
            "metadata": self._metadata(),
        }
        content = chain.canonical(manifest)
        (self.place / chain.MANIFEST).write_bytes(content)
        (self.place / chain.SIGNATURE).write_text(keys.sign(content, key) + "\n", encoding="utf-8")
        self._prove(keys.public(key))
        target = self.folder / f"t3-pack-{self.month}-r{revision}"
        _publish(self.place, target)
        lines = previous["changes"] if previous else []
        return Sealed(target, revision, links[-1]["sha256"], keys.public(key), True, lines)

    def _write(self, *, corrected: bool) -> None:
        db, scope = self.snapshot.db, self.snapshot.scope
        made = contents.export(db, scope, self.place)
        read, data = figures.read(db, scope), metrics.data_range(db)
        about = {
            "first": scope.first.isoformat(),
            "last": scope.last.isoformat(),
            "data_first": data[0].isoformat() if data else None,
            "timezone": settings().timezone,
            "business_day_start": settings().business_day_start.isoformat(),
            "sections": list(self.one.sections),
        }
        (self.place / "figures.json").write_bytes(chain.canonical({"about": about, "tables": made, "figures": read}))
        envelope = documents.write(self.executed, self.place, corrected=corrected)
        if envelope["edition"] != self.one.name or envelope["business_date"] != about["last"]:
            raise SealError(f"{self.executed} is the {envelope['edition']} edition of {envelope['business_date']}.")
        (self.place / "README.txt").write_bytes(_README.read_bytes())

    def _latest(self, public_key: str) -> tuple[int, Path | None]:
        """(this revision, the folder of the one before it). Raises SealError where that one was changed."""
        named = re.compile(rf"t3-pack-{self.month}-r(\d+)")
        found = {int(match[1]): path for path in self.folder.iterdir() if (match := named.fullmatch(path.name))}
        if not found:
            return 1, None
        number = max(found)
        try:
            verdict = verify(found[number], public_key)
        except UnreadablePackError as error:
            raise SealError(f"{error} Move that folder away to seal the month again.") from None
        if not verdict.proven:
            raise SealError(f"{found[number]} was changed, or signed with another key: `t3 pack verify` says where. "
                            "Move that folder away to seal the month again.")  # fmt: skip
        return number + 1, found[number]

    def _previous(self, earlier: Path) -> dict[str, Any]:
        content = (earlier / chain.MANIFEST).read_bytes()
        was, db = json.loads(content), self.snapshot.db
        lines = changes.restated(db, self.days.first, self.days.last, was["metadata"]["sealed_at"])
        lines += changes.changed(earlier, self.place)
        return {"revision": was["revision"], "head": was["chain"][-1]["sha256"],
                "changes": lines or ["only how the figures are asked for: the same rows and values"]}  # fmt: skip

    def _metadata(self) -> dict[str, Any]:
        """What differs between two seals of the same content, besides the signature."""
        fresh, db = metrics.freshness(self.snapshot.db), self.snapshot.db
        return {"sealed_at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", "t3": version("tasty-truck-treats"),
                "notebook_commit": self.commit, "schema": warehouse.newest(), "figures_version": fresh.version,
                "loaded_at": fresh.loaded_at.isoformat() if fresh.loaded_at else None,
                "postgres": db.scalar(sa.text("SHOW server_version"))}  # fmt: skip

    def _prove(self, public_key: str) -> None:
        """Nothing is published that does not verify."""
        verdict = verify(self.place, public_key)
        if wrong := [problem for one in verdict.findings for problem in one.problems]:
            more = f" (and {len(wrong) - MOST_SAID:,} more)" if len(wrong) > MOST_SAID else ""
            raise SealError(
                f"Nothing was sealed, as figures and rows do not agree: {'; '.join(wrong[:MOST_SAID])}{more}."
            )


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One seal at a time in a folder of packs; the lock ends with the process."""
    import fcntl  # not on Windows, where packs are only verified

    with (folder / ".lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise SealError(f"Another pack is being sealed in {folder}.") from None
        yield


@contextmanager
def _beside(place: Path) -> Iterator[Path]:
    """An empty folder that is gone afterwards, whatever happened; what a killed seal left in it goes first."""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _publish(place: Path, target: Path) -> None:
    """Bring every byte to the disk, then rename: a pack is there as a whole or not at all."""
    for path in [*place.rglob("*"), place]:
        _sync(path)
    os.rename(place, target)
    _sync(target.parent)


def _sync(path: Path) -> None:
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
