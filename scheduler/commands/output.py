"""How commands speak: a table for people, JSON for programs, a progress bar on a terminal."""

import json
import os
import sys
import webbrowser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from t3lib.settings import settings

WIDE = 200  # a pipe has no width: do not fold what a program or a file is to hold

out = Console(highlight=False, width=None if sys.stdout.isatty() else WIDE)
err = Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else WIDE)


def say(line: str) -> None:
    """One line for people, on stderr, so that stdout stays for results."""
    err.print(escape(line), soft_wrap=True)


def as_json(value: Any) -> None:
    """One JSON object or list on stdout."""
    print(json.dumps(value, default=str))


def table(rows: Sequence[dict[str, Any]], columns: dict[str, str], empty: str) -> None:
    """Rows under titles; numbers to the right, stamps in local time."""
    if not rows:
        out.print(empty)
        return
    made = Table(box=None, pad_edge=False, header_style="bold")
    for name, title in columns.items():
        numeric = all(isinstance(row[name], int | None) for row in rows)
        made.add_column(title, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        made.add_row(*(escape(shown(row[name])) for name in columns))
    out.print(made)


def lines(texts: Sequence[Sequence[str]]) -> None:
    """Lines of texts, the titles first; shorter ones belong to the left."""
    if texts:
        made = Table(box=None, pad_edge=False, header_style="bold")
        for title in texts[0]:
            made.add_column(escape(title), overflow="fold")
        for line in texts[1:]:
            made.add_row(*map(escape, line))
        out.print(made)
        out.print()


def shown(value: Any) -> str:
    """One value as people write it."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(settings().zone).strftime("%d %b %Y %H:%M")
    if isinstance(value, date):
        return value.strftime("%d %b %Y")
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def open_in_browser(url: str) -> None:
    """Show a page to a person at a desk; nothing on a machine without one, where a browser would take the terminal."""
    desk = sys.platform in ("darwin", "win32") or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if err.is_terminal and desk:
        webbrowser.open(url)


@contextmanager
def progress(title: str, total: int | None = None) -> Iterator[Any]:
    """A bar on a terminal, nothing elsewhere; yields advance(done, total)."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task(title, total=total)
        yield lambda done, total=None: bar.update(task, completed=done, **({"total": total} if total else {}))
