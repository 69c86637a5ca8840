"""The rules of the folder's notebook, and edits of them as an analyst makes them in its cells."""

import pytest

from t3lib.cleaning import Rulebook


def edited(cells: dict[str, str]) -> Rulebook:
    """The folder's rules with these cells instead of those that state the rules of these codes ('' takes one out)."""
    book, left = Rulebook.of_folder().cells, dict(cells)
    made = []
    for cell in book:
        code = next((code for code in left if f'("{code}"' in cell), None)
        made.append(cell if code is None else left.pop(code))
    assert not left, f"no cell states {', '.join(left)}"
    return Rulebook(tuple(filter(None, made)))


def put_in_force(monkeypatch: pytest.MonkeyPatch, book: Rulebook) -> None:
    """Let this process clean and validate by these rules, as after an edit of the notebook."""
    monkeypatch.setattr(Rulebook, "of_folder", classmethod(lambda cls: book))
    monkeypatch.setattr(Rulebook, "in_force", classmethod(lambda cls: book))


def limit(monkeypatch: pytest.MonkeyPatch, pence: int) -> None:
    """Edit the rule that says how large a total may be."""
    cell = f'rules.reject("above_limit", "The total is far above anything sold.", when=rows.pence > {pence})'
    put_in_force(monkeypatch, edited({"above_limit": cell}))


def reading(monkeypatch: pytest.MonkeyPatch, *totals: str, as_: str) -> None:
    """Add a rule that reads these totals as another."""
    cell = f"rules.read('total', *{totals!r}, as_={as_!r})"
    put_in_force(monkeypatch, Rulebook((cell, *Rulebook.of_folder().cells)))
