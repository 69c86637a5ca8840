"""Brings a figure from a notebook into production: metric, glossary entry, card and test, in a branch, checked."""

from dataclasses import dataclass
from pathlib import Path

from scheduler.promotion import branch, checking, figure, shape
from scheduler.promotion.edits import Edits
from t3lib import metrics
from t3lib.dashboard import tabs
from t3lib.dashboard.state import TABS
from t3lib.problems import RefusedError, WrongUseError
from t3lib.settings import ROOT

ROOMS = ("sales", "money", "demand", "trust")
MOST_MODULES = 12  # in a folder, as tests/unit/project/test_import_directions.py demands


@dataclass(frozen=True)
class Promotion:
    """What was made: the branch and its commit, the files by what they are, and the reason for the room."""

    figure: str
    branch: str
    commit: str
    tab: str
    made: dict[str, str]
    why: str


def promote(
    notebook: Path, name: str, tab: str, room: str = "", into: str = "", say: checking.Say = print
) -> Promotion:
    """Make a branch with the figure of a notebook. The checkout itself is not changed.

    Raises RefusedError, which says what to change; then no branch is left."""
    if tab not in tabs.NAMES:
        known = ", ".join(f"{one} ({TABS[one]})" for one in tabs.NAMES)
        raise WrongUseError(f"There is no tab {tab} with cards: choose {known}.")
    found = figure.read(notebook, name)
    shape.keys(found, [])
    _require_new(found)
    room, why = _room(found, room)
    begun = notebook.relative_to(ROOT).as_posix() if notebook.is_relative_to(ROOT) else notebook.name
    into = into or f"figure-{name}"
    branch.require_free(into, Edits(ROOT, found, room, tab, begun).paths)
    say(f"Making the branch {into} beside this folder ...")
    with branch.new_branch(into) as folder:
        edits = Edits(folder / "tree", found, room, tab, begun)
        edits.define()
        say(f"Running {name} on the example fleet ...")
        given = checking.example(folder, name)
        shape.require(found, given)
        edits.exemplify(given)
        checking.tidy(edits.tree, edits.paths)
        branch.add(edits.tree, edits.paths)  # what git does not know is not checked
        say("Checking the whole branch ...")
        checking.require(edits.tree, name, edits.test, say)
        message = f"Add {found.title.lower()} to the tab {TABS[tab]}\n\nThe figure began in {begun}."
        commit = branch.commit(edits.tree, edits.paths, message)
    return Promotion(name, into, commit, TABS[tab], _made(edits), why)


def _require_new(found: figure.Figure) -> None:
    if hasattr(metrics, found.name):
        module = getattr(getattr(metrics, found.name), "__module__", "t3lib.metrics")
        raise RefusedError(f"There is a {found.name} in t3lib.metrics already ({module}): choose another name.")


def _room(found: figure.Figure, chosen: str) -> tuple[str, str]:
    """The room of a figure and why: the chosen one, else that of the metric that it is made of."""
    if chosen and chosen not in ROOMS:
        raise WrongUseError(f"There is no room {chosen} in t3lib.metrics: choose {', '.join(ROOMS)}.")
    functions = {name: getattr(metrics, name).__module__.split(".")[2] for name in found.made_of}
    name, room = next(((name, of) for name, of in functions.items() if of in ROOMS), ("", ""))
    if not chosen and not room:
        raise RefusedError(f"{found.name} calls no metric: make it of metrics, such as metrics.by_truck(db, scope).")
    room, why = (chosen, "chosen by --room") if chosen else (room, f"it is made of {name}, which is there")
    count = {of: len(list((ROOT / "t3lib" / "metrics" / of).glob("[!_]*.py"))) for of in ROOMS}
    if count[room] >= MOST_MODULES:
        others = ", ".join(of for of in ROOMS if count[of] < MOST_MODULES)
        raise RefusedError(f"t3lib/metrics/{room} has {count[room]} modules already: choose --room {others}.")
    return room, why


def _made(edits: Edits) -> dict[str, str]:
    return {"metric": edits.module, "entry": edits.glossary, "page": "docs/kpis.md",
            "card": "t3lib/dashboard/tabs/breakdowns.py", "test": edits.test}  # fmt: skip
