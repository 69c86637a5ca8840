"""Output of commands: tables for people, JSON for programs, a progress bar on a terminal."""

import json
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, TextIO

from scheduler.cli.text_encoding import fit
from t3lib.settings import settings

if TYPE_CHECKING:
    from rich.console import Console

WIDE = 200  # a pipe has no width: do not fold lines that a program or a file gets
READABLE = 12  # letters of a text that a column keeps on one line


def _size(stream: TextIO) -> tuple[int | None, int | None]:
    """The width and height of a stream where rich would get them wrong; None leaves them to rich."""
    if not stream.isatty():
        return WIDE, None
    # rich takes a dumb terminal for 80 columns wide.
    dumb = os.environ.get("TERM", "").lower() in ("dumb", "unknown")
    return shutil.get_terminal_size() if dumb else (None, None)


@cache
def out() -> "Console":
    """The console of results, on stdout."""
    from rich.console import Console

    width, height = _size(sys.stdout)
    return Console(highlight=False, width=width, height=height)


@cache
def err() -> "Console":
    """The console of remarks for people, on stderr."""
    from rich.console import Console

    width, height = _size(sys.stderr)
    return Console(stderr=True, highlight=False, width=width, height=height)


def say(line: str) -> None:
    """One line for people, on stderr, so that stdout stays for results."""
    err().print(line, markup=False, soft_wrap=True)


def print_json(value: Any) -> None:
    """One JSON object or list on stdout."""
    print(json.dumps(value, default=str))


def table(rows: Sequence[dict[str, Any]], columns: dict[str, str], empty: str) -> None:
    """Rows under titles; numbers to the right, times in local time. On a terminal too narrow for columns, one record
    under the other, with the titles beside the values."""
    if not rows:
        out().print(empty)
        return
    numbers = {name for name in columns if all(isinstance(row[name], int | None) for row in rows)}
    texts = [[_encodable(shown(row[name])) for name in columns] for row in rows]
    _print(list(columns.values()), texts, [name in numbers for name in columns])


def lines(texts: Sequence[Sequence[str]]) -> None:
    """Lines of texts, the titles first; shorter lines are filled up on the right."""
    if texts:
        titles, *rows = [[_encodable(text) for text in line] for line in texts]
        _print(titles, [[*row, *[""] * (len(titles) - len(row))] for row in rows], [False] * len(titles))
        out().print()


def left_out(count: int, of_all: int) -> None:
    """Say on stderr, since programs read stdout, that a list has more rows than shown."""
    if of_all > count:
        say(f"These are the newest {count:,} of {of_all:,}: `--limit {of_all}` shows all.")


def _print(titles: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[bool]) -> None:
    """Columns if they stay readable, else one record under the other."""
    if _least(titles, rows, numbers) > out().width:
        _records(titles, rows)
        return
    from rich.markup import escape
    from rich.table import Table

    made = Table(box=None, pad_edge=False, header_style="bold")
    for title, number in zip(titles, numbers, strict=True):
        made.add_column(escape(title), justify="right" if number else "left", overflow="fold", no_wrap=number)
    for row in rows:
        made.add_row(*map(escape, row))
    out().print(made)


def _least(titles: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[bool]) -> int:
    """The least width at which columns stay readable: numbers are not broken, texts only after READABLE letters."""
    from rich.cells import cell_len

    least = 0
    for n, title in enumerate(titles):
        longest = max((cell_len(row[n]) for row in rows), default=0)
        words = max(map(cell_len, title.split()), default=0)
        least += max(words, longest if numbers[n] else min(longest, READABLE)) + 2
    return least - 2


def _records(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.cells import cell_len
    from rich.markup import escape
    from rich.table import Table

    width = max(map(cell_len, titles), default=0)
    for row in rows:
        made = Table(box=None, pad_edge=False, show_header=False)
        made.add_column(style="bold", width=min(width, out().width // 2), overflow="fold")
        made.add_column(overflow="fold")
        for title, text in zip(titles, row, strict=True):
            if text:
                made.add_row(escape(title), escape(text))
        out().print(made)
        out().print()


def _encodable(text: str) -> str:
    return fit(text, out().file)


def shown(value: Any) -> str:
    """A value as people write it."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(settings().zone).strftime("%d %b %Y %H:%M")
    if isinstance(value, date):
        return value.strftime("%d %b %Y")
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def open_in_browser(url: str) -> None:
    """Open a page if this machine has a display; without one, a browser would take over the terminal."""
    has_display = sys.platform in ("darwin", "win32") or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if err().is_terminal and has_display:
        import webbrowser

        webbrowser.open(url)


@contextmanager
def progress(title: str, total: int | None = None) -> Iterator[Any]:
    """A bar on a terminal, nothing elsewhere; yields advance(done, total)."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn("line" if err().options.ascii_only else "dots"),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err(), transient=True, disable=not err().is_terminal) as bar:
        task = bar.add_task(title, total=total)
        yield lambda done, total=None: bar.update(task, completed=done, **({"total": total} if total else {}))
