"""docs/analysts.md, docs/sections.md and docs/figures.md, followed word for word in a clone."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import default
from itertools import groupby
from pathlib import Path

import nbformat
import pytest

from scheduler.embedded import services
from t3lib.settings import ROOT, settings
from tests.integration.cli.lab_editor import Effort, Lab
from tests.support.pages import table_rows
from tests.support.visitor import given

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

_BLOCK = re.compile(r"^ *```(sh|text|shown|diff|python)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_DAYS = re.compile(r"^\s*(\d)\s+(\d\d \w{3} \d{4})\s+(£\S+)\s+(£\S+)\s+(\+\d+)", re.MULTILINE)
# The packages are there already; the variables of the test's environment are not the reader's.
PRELUDE = """
set -e
make() { if [ "$1" = setup ]; then ln -s "$VENV" .venv; else command make -o .venv/ready "$@"; fi; }
"""


@dataclass
class Reader:
    """A reader who follows a page: a shell that keeps its variables from step to step."""

    folder: Path
    running: ExitStack
    lab: Lab | None = None

    @property
    def environment(self) -> dict[str, str]:
        """The variables of somebody who has set none for T3."""
        env = {name: value for name, value in os.environ.items() if not name.startswith(("T3_", "GIT_"))}
        person = {
            f"GIT_{who}_{what}": "ann@t3.example" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
        }
        return env | person | {"REPOSITORY": str(ROOT), "VENV": str(Path(sys.executable).parents[1]),
                         "PYTHONPATH": str(self.clone), "T3_EDITED_NOTEBOOKS": "",
                         "MYPY_CACHE_DIR": str(self.folder / "mypy")}  # fmt: skip

    def sh(self, script: str) -> str:
        """Everything that a block prints; what it sets (folder, variables) holds for the blocks after it."""
        keep, env = self.folder / "shell", self.environment
        whole = f"{PRELUDE}\n[ -f {keep} ] && . {keep}\n{script}\n"
        whole += (
            f'{{ echo "cd $PWD"; declare -p T3_LANDING_URL PATH 2>/dev/null | sed "s/^declare -x/export/"; }} > {keep}'
        )
        done = subprocess.run(["bash", "-c", whole], cwd=self.folder, env=env, capture_output=True, text=True)
        assert done.returncode == 0, f"{script}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout + done.stderr

    @property
    def clone(self) -> Path:
        return self.folder / "t3"

    def apply(self, patch: str) -> None:
        """Make the edits that a block shows."""
        subprocess.run(["git", "apply", "--unidiff-zero", "-"], cwd=self.clone, input=patch, text=True, check=True)

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Keep the clone's embedded services running, as an open JupyterLab does: each command joins them at once."""
        with pytest.MonkeyPatch.context() as patch:
            given(patch, T3_HOME=str(self.clone / ".t3"))
            with services(say=lambda line: None):
                yield
        settings.cache_clear()

    def start_lab(self) -> None:
        """`t3 lab` in a terminal of its own, over the bucket that the shell was told of."""
        bucket = {"T3_LANDING_URL": (self.clone / "outputs" / "fleet").as_uri(), "BROWSER": "true"}
        self.lab = Lab(self.clone, self.environment | bucket)
        self.running.callback(self.lab.close)

    def follow(self, page: str) -> list[str]:
        """Do what a page of the clone says; what its shell blocks printed. Shown lines must have been printed."""
        printed: list[str] = []
        blocks = _BLOCK.findall((self.clone if self.clone.exists() else ROOT).joinpath(page).read_text())
        for in_lab, some in groupby(blocks, lambda block: block[1].startswith("# notebooks/") or block[0] == "shown"):
            if in_lab:
                printed.append(self.edit(list(some)))
                continue
            self.follow_blocks(some, printed)
        return printed

    def edit(self, blocks: list[tuple[str, str]]) -> str:
        """Edit a notebook in JupyterLab, look at what stands below its cells, save it; what was seen last."""
        if not any(kind == "shown" for kind, _ in blocks):
            for _, body in blocks:
                self.add_cell(*body.removeprefix("# ").split("\n", 1))
            return ""
        seen, path = "", blocks[0][1].removeprefix("# ").partition(",")[0]
        with self.lab.open(path) as notebook:
            for kind, body in blocks:
                if kind == "shown":
                    seen = notebook.run_all()
                    words = " ".join(seen.split())
                    assert all(" ".join(line.split()) in words for line in body.splitlines()), seen[-6000:]
                    continue
                where, _, source = body.partition("\n")
                _, place, line = re.split(r", (below|a line below|instead of) ", where, maxsplit=1)
                edits = {"below": notebook.add_below, "a line below": notebook.add_line, "instead of": notebook.replace}
                edits[place](line, source)
        return seen

    def follow_blocks(self, blocks: Iterable[tuple[str, str]], printed: list[str]) -> None:
        """Those in the shell and in files; `printed` gets what the shell says."""
        for kind, body in blocks:
            if body == "t3 lab\n":
                self.start_lab()
            elif kind == "sh":
                printed.append(self.sh(body))
                if "git clone" in body:
                    self.running.enter_context(self.serving())
            elif kind == "diff":
                self.apply(body)
            elif kind == "text":
                assert all(line in printed[-1] or line in "".join(printed[-3:]) for line in body.splitlines())
            elif body.startswith("# t3lib/"):
                path, code = body.removeprefix("# ").split("\n", 1)
                (self.clone / path).write_text(code)

    def add_cell(self, where: str, source: str) -> None:
        """Put a cell below another one, as JupyterLab does."""
        path, _, above = where.partition(", below ")
        notebook = nbformat.read(self.clone / path, 4)
        if not above:  # it is shown because it stands there
            assert source.strip() in [cell.source for cell in notebook.cells]
            return
        place = next(n for n, cell in enumerate(notebook.cells) if cell.source.startswith(above))
        notebook.cells.insert(place + 1, nbformat.v4.new_code_cell(source.strip()))
        nbformat.write(notebook, self.clone / path)


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    """Somebody new, in a folder through which the embedded Postgres' account may pass."""
    if not (ROOT / ".git").exists():
        pytest.skip("there is no checkout to clone from")
    folder = Path(tempfile.mkdtemp(prefix="t3-tutorial-"))
    folder.chmod(0o711)
    if (known := ROOT / ".mypy_cache").is_dir():  # `make check` need not look at every package from the start
        shutil.copytree(known, folder / "mypy")
    with ExitStack() as running:
        yield Reader(folder, running)
    shutil.rmtree(folder, ignore_errors=True)


def test_the_tutorial_leads_from_a_clone_to_a_changed_rule(reader):
    printed = reader.follow("docs/analysts.md")
    first = next(text for text in printed if "first_look" in text)
    assert "finding: In the 28 days up to 15 Nov 2026" in first
    shown = next(text for text in printed if "To apply the rules" in text)
    moved = re.search(r"unknown_payment_type\s+loaded\s+(\d+)\s+\+£([\d.]+)", shown)
    assert moved, shown
    applied = next(text for text in printed if "files reprocessed" in text)
    days = _DAYS.findall(shown)
    assert days
    seen = next(text for text in printed if "compared with the rules of the last commit" in text)
    assert f"rejected: unknown_payment_type\tloaded\t{moved[1]}\t+£{moved[2]}" in seen
    assert days == _DAYS.findall(applied)
    assert sum(int(day[-1]) for day in days) == int(moved[1])
    assert_under_five_minutes(reader)


def assert_under_five_minutes(reader: Reader) -> None:
    """What the page says of a person's steps is what was done: in the notebook, and to commit it."""
    page = ROOT.joinpath("docs/analysts.md").read_text()
    effort, committing = reader.lab.effort, next(body for _, body in _BLOCK.findall(page) if "git commit" in body)
    actions = effort.actions + 1 + committing.count("\n")  # the terminal, and Enter
    characters = effort.characters + len(committing)
    cells = nbformat.read(ROOT / "notebooks" / "2_clean.ipynb", 4).cells
    last = next(n for n, cell in enumerate(cells) if cell.source.startswith('rules.read("type", "cash"'))
    told = [cell.source for cell in cells if cell.cell_type == "markdown" and (
        cells.index(cell) < last or cell.source.startswith(("## Examples", "## What an edit")))]  # fmt: skip
    words = len(" ".join(told).split())
    seconds = Effort.seconds(actions, characters, words)
    assert seconds < 300
    said = f"{actions} clicks and keys, {characters} characters and {words} words"
    assert said in " ".join(page.split()), (said, seconds)
    assert f"{seconds / 60:.1f} minutes" in " ".join(page.split()), (said, seconds)


def test_a_report_section_and_a_dashboard_card_are_added_by_the_recipe(reader):
    printed = reader.follow("docs/sections.md")
    (made,) = json.loads(next(text for text in printed if '"eml"' in text))
    mail = message_from_bytes(Path(made["eml"]).read_bytes(), policy=default)
    assert re.search(
        r"WHAT ONE SALE BRINGS\s+Paid by.*?Card\s+£\d+\.\d\d", mail.get_body(("plain",)).get_content(), re.S
    )
    assert "What one sale brings" in Path(made["html"]).read_text()
    edited = reader.sh(
        "git status --short --untracked-files=all -- ':(glob)notebooks/*' t3lib/report t3lib/editions.py"
    )
    assert edited.split() == ["M", "notebooks/4_report.ipynb"]
    reader.sh("python -m scheduler.runs.contract notebooks/4_report.ipynb")
    card = reader.sh("""python -c '
from datetime import date
from scheduler.cli.session import session
from t3lib import metrics, warehouse
from t3lib.dashboard.tabs import TabContext, sheet
from t3lib.dashboard.state import State
day = metrics.Scope(date(2026, 11, 11), date(2026, 11, 11))
with session("database"), warehouse.connect() as db:
    print(sheet(db, TabContext(State(tab="money"), day)))
'""")
    assert "What one sale brings" in card
    assert re.search(r"<td>card</td><td class=.t3-number.>£\d+\.\d\d", card)
    touched = reader.sh("git status --short --untracked-files=all").split()
    assert not [path for path in touched if path.startswith("scheduler/")]


def test_a_figure_of_a_notebook_becomes_a_card_on_the_dashboard_by_the_tutorial(reader):
    before = reader.sh("git status --porcelain")
    printed = reader.follow("docs/figures.md")
    assert reader.sh("git status --porcelain") == before
    assert "7 files changed" in next(text for text in printed if "promoted/test_best_hour.py" in text and "|" in text)
    assert 'metrics.frame("best_hour", week)' in "".join(printed)
    found = json.loads(
        reader.sh("""python -c '
import json
from datetime import date
from scheduler.cli.session import session
from t3lib import metrics, warehouse
from t3lib.dashboard.tabs import TabContext, sheet
from t3lib.dashboard.state import State
day = metrics.Scope(date(2026, 11, 11), date(2026, 11, 11))
with session("database"), warehouse.connect() as db:
    hours = metrics.by_hour_and_truck(db, day)[["truck", "local_hour", "gross_sales_pence"]]
    print(json.dumps([sheet(db, TabContext(State(tab="money"), day)), hours.values.tolist()]))
'""").splitlines()[-1]
    )
    html, hours = found
    card = html[html.index("Best hour") :]
    for truck in {truck for truck, *_ in hours}:
        pence = {hour: pence for name, hour, pence in hours if name == truck}
        best = max(pence, key=pence.__getitem__)
        share = f"{100 * pence[best] / sum(pence.values()):.1f}%"
        assert [truck, f"{best:02d}:00–{best + 1:02d}:00", share] in table_rows(card)
