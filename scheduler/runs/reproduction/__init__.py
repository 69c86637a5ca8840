"""Reproduces a past run: its commit in a worktree of its own, on the versions of the files that it read.

The commit's own program runs its own code: modules, notebooks and migrations may have moved since. Taken from
today: the Python packages, the names of the environment variables, and the entry point `t3-fork` of the installed
distribution, which a past tree must have too. The database is a new one that the commit's own migrations make, so old
code never meets a newer schema."""

import json
import os
import subprocess
import sys
from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import sqlalchemy as sa

from scheduler.embedded.home import scratch_folder
from t3lib import record, warehouse
from t3lib.landing import Landing
from t3lib.problems import RefusedError
from t3lib.report.parts.closing import REPORT
from t3lib.settings import ROOT, settings
from t3lib.warehouse.load import applying

# The file keeps its first name, by which later versions find it in past commits; elsewhere "replay" is of rejects.
PROGRAM = Path(__file__).with_name("replay.py")
# The folders under scheduler/ in which replay.py has been, newest first. A new one is added, none is removed.
_FOLDERS = (("runs", "reproduction"), ("reproduction",))
# Settings that decide about rows; nothing else of this environment is passed on. A renamed setting is passed on under
# both names.
_PASSED_ON = ("T3_TIMEZONE", "T3_BUSINESS_DAY_START", "T3_LIMIT_PENCE", "T3_BATCH_BYTES")

OTHER_PACKAGES = "Its requirements.lock names other packages than today's, on which it was reproduced."

_RUN = sa.text("""
    SELECT run_id, notebook, parameters, git_commit, started_at, executed_copy, rows FROM ops.run
    WHERE run_id = :run AND state = 'succeeded'
""")
_LATEST = sa.text("""
    SELECT run_id, notebook, started_at, git_commit, rows FROM ops.run
    WHERE state = 'succeeded' AND git_commit IS NOT NULL
    ORDER BY started_at DESC LIMIT :limit
""")
# The batches loaded before the run began, in their order, then its own. Reprocessing adds no version.
_VERSIONS_READ = sa.text("""
    SELECT batch_id, key, etag, last_modified, batch.finished_at FROM ops.source_file
    JOIN ops.batch USING (batch_id)
    WHERE batch.finished_at < :began AND batch.state = 'done' OR batch_id = :own
    ORDER BY batch_id = :own, batch.finished_at, batch_id, file_id
""")


@dataclass
class Reproduction:
    """A run's figures then and now, by name; `missing` lists keys whose version the bucket no longer holds."""

    run_id: str
    commit: str
    then: dict[str, Any]
    now: dict[str, Any]
    missing: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def differing(self) -> list[str]:
        """The names of the figures that came out differently."""
        return [name for name, value in self.then.items() if self.now.get(name) != value]


def latest(limit: int = 20) -> list[dict[str, Any]]:
    """The latest runs that can be reproduced."""
    with warehouse.connect() as db:
        return [dict(row) for row in db.execute(_LATEST, {"limit": limit}).mappings()]


def reproduce(run_id: str) -> Reproduction:
    """Run it again in a database of its own; this one is not changed.

    Raises RefusedError for a run that is unknown, has no commit, or reprocessed loaded files."""
    with warehouse.connect() as db:
        run = db.execute(_RUN, {"run": run_id}).mappings().one_or_none()
        if run is None or not run["git_commit"]:
            raise RefusedError(f"There is no finished run {run_id} with a commit: `t3 reproduce` lists the latest.")
        own = run["parameters"].get("batch_id", "")
        seen = db.execute(_VERSIONS_READ, {"began": run["started_at"], "own": own}).all()
        decided = db.execute(applying.DECISIONS, {"before": run["started_at"]}).all()
    if own and not any(row.batch_id == own for row in seen):
        raise RefusedError(f"Run {run_id} reprocessed loaded files: name the run that loaded them first.")
    commit = run["git_commit"].removesuffix("+")
    found = Reproduction(run_id, commit, _figures_then(run), {})
    if run["git_commit"].endswith("+"):
        found.notes.append(f"The code had uncommitted edits when it ran: this is {commit} without them.")
    with scratch_folder("t3-run-") as folder, _worktree(folder / "tree", commit):
        stages = _stages(folder / "tree", commit, run["notebook"]) if own else []
        found.notes += _other_packages(folder / "tree")
        batches = _fetch(seen, folder / "files", found.missing)
        if own and own not in batches:
            raise RefusedError(f"The bucket no longer holds a version that run {run_id} read: {found.missing[-1]}.")
        work = {"notebook": run["notebook"], "parameters": run["parameters"], "batches": list(batches.values()),
                "stages": stages, "applied": _applied(decided, seen, batches)}  # fmt: skip
        found.now = figures(_run_program(folder, _program(folder, commit), work))
    return found


def figures(copy: Path) -> dict[str, Any]:
    """The figures in an executed notebook: the values that it records, a report's headline and CSV."""
    notebook = nbformat.read(copy, 4)
    bundles = [output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", [])]
    reports = [data[REPORT] for data in bundles if REPORT in data]
    shown = {name: value for report in reports for part in ("headline", "csv") for name, value in report[part].items()}
    return record.read(notebook) | shown


def _figures_then(run: Any) -> dict[str, Any]:
    """The figures in the run's executed notebook; if outputs/ was emptied, the number of rows in ops.run."""
    copy = settings().outputs / (run["executed_copy"] or "")
    return figures(copy) if copy.is_file() else {"rows": run["rows"]}


def _fetch(seen: Sequence[sa.Row[Any]], folder: Path, missing: list[str]) -> dict[str, list[dict[str, Any]]]:
    """Store each version in a file; the files by batch."""
    folder.mkdir()
    batches: dict[str, list[dict[str, Any]]] = {}
    versions = Landing().read_many([(row.key, row.etag) for row in seen])
    for number, (row, data) in enumerate(zip(seen, versions, strict=True)):
        if isinstance(data, Exception):
            missing.append(row.key)
            continue
        (folder / str(number)).write_bytes(data)
        entry = {"key": row.key, "path": str(folder / str(number)), "at": row.last_modified.timestamp()}
        batches.setdefault(row.batch_id, []).append(entry)
    return batches


def _applied(decided: Sequence[sa.Row[Any]], seen: Sequence[sa.Row[Any]], batches: Container[str]) -> list[Any]:
    """The lists that people applied to the past before the run, each with how many of its batches were loaded then."""
    loaded = {row.batch_id: row.finished_at for row in seen if row.batch_id in batches}
    names = {key: name for name, (_, key) in applying.LISTS.items()}
    return [{"after": sum(at is not None and at < row.made_at for at in loaded.values()), "list": names[row.key],
             "from": row.first_day, "at": row.made_at.timestamp(), "by": row.actor, "why": row.why}
            for row in decided]  # fmt: skip


def _stages(tree: Path, commit: str, notebook: str) -> list[str]:
    """The notebooks of an ingest up to this one, as the commit has them: they are numbered in their order."""
    names = sorted(path.stem for path in (tree / "notebooks").glob("[0-9]_*.ipynb"))
    if notebook not in names:
        raise RefusedError(f"The commit {commit} has no notebook {notebook}: it ran a notebook that was not committed.")
    return names[: names.index(notebook) + 1]


def _program(folder: Path, commit: str) -> Path:
    """The commit's own program; if it has none, the first one added after it, else today's."""
    places = ["/".join(("scheduler", *place, "replay.py")) for place in _FOLDERS]
    for place in places:
        if (own := folder / "tree" / place).is_file():
            return own
    added = _git("log", "--reverse", "--ancestry-path", "--diff-filter=A", "--no-renames", "--format=%H", "--name-only",
                 f"{commit}..HEAD", "--", *places).split()  # fmt: skip
    if not added:
        return PROGRAM
    (folder / "replay.py").write_text(_git("show", f"{added[0]}:{added[1]}"), encoding="utf-8")
    return folder / "replay.py"


def _other_packages(tree: Path) -> list[str]:
    """A note if the commit was locked to other packages than the installed ones."""
    locks = [place / "requirements.lock" for place in (tree, ROOT)]
    then, now = (lock.read_bytes() if lock.is_file() else b"" for lock in locks)
    return [] if then == now else [OTHER_PACKAGES]


def _run_program(folder: Path, program: Path, work: dict[str, Any]) -> Path:
    """Let the commit's own code take the files in and run the notebook; returns the executed notebook.

    The docstring of replay.py describes its input and output."""
    (folder / "work.json").write_text(json.dumps(work), encoding="utf-8")
    env = {name: value for name, value in os.environ.items() if not name.startswith(("T3_", "PGOPTIONS"))}
    env |= {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    places = {name: folder / name for name in ("bucket", "archive", "home", "outputs")}
    for place in places.values():
        place.mkdir()
        place.chmod(0o711)
    env |= {"T3_HOME": str(places["home"]), "T3_OUTPUTS": str(places["outputs"]), "PYTHONPATH": str(folder / "tree"),
            "T3_LANDING_URL": places["bucket"].as_uri(), "T3_ARCHIVE_URL": places["archive"].as_uri()}  # fmt: skip
    # -P: the folder of replay.py must not shadow the commit's own modules.
    command = [sys.executable, "-P", str(program), str(folder / "work.json"), str(places["bucket"])]
    done = subprocess.run(command, env=env, cwd=folder / "tree", capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["It printed no error."])[-1]
        problem = f"The commit's own code could not reproduce it: {last.rstrip('.')}."
        raise RefusedError(" ".join([problem, *_other_packages(folder / "tree")]))
    return _executed_copy(done.stdout)


def _executed_copy(printed: str) -> Path:
    """The path in the last line of what such a program printed: JSON, or the bare path as the first ones did."""
    last = printed.strip().splitlines()[-1]
    return Path(json.loads(last)["executed_copy"] if last.startswith("{") else last)


@contextmanager
def _worktree(tree: Path, commit: str) -> Iterator[None]:
    """The commit's files beside this checkout. Raises RefusedError when the clone does not have it."""
    try:
        _git("worktree", "add", "--quiet", "--detach", str(tree), commit)
    except (OSError, subprocess.CalledProcessError):
        raise RefusedError(f"This clone does not have the commit {commit}: fetch it (`git fetch --all`).") from None
    try:
        yield
    finally:
        _git("worktree", "remove", "--force", str(tree))


def _git(*arguments: str) -> str:
    return subprocess.run(["git", "-C", str(ROOT), *arguments], check=True, capture_output=True, text=True).stdout
