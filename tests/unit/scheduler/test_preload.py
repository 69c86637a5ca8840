"""The warm process imports what it can."""

import sys

import t3lib
from scheduler.kernels import preload


def test_imports_end_when_nobody_wants_them_any_more(monkeypatch):
    asked = iter((True, False))
    imported: list[str] = []
    monkeypatch.setattr(preload.pkgutil, "walk_packages", lambda *_, **__: iter(()))
    monkeypatch.setattr(preload.importlib, "import_module", imported.append)
    preload.warm(lambda: next(asked))
    assert imported == [preload.MODULES[0]]


def test_a_half_edited_package_does_not_stop_the_kernels(tmp_path, monkeypatch, capsys):
    for name, text in (("half", "def edited(:"), ("whole", "LOADED = True")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(text)
    monkeypatch.setattr(t3lib, "__path__", [str(tmp_path)])
    monkeypatch.setattr(preload, "MODULES", ())
    preload.warm()
    assert "kernels start without t3lib.half" in capsys.readouterr().err
    assert sys.modules["t3lib.whole"].LOADED


def test_a_command_is_no_import():
    names = list(preload.own_modules())
    assert "t3lib.metrics.glossary.money" in names
    assert not [name for name in names if name.endswith("__main__")]  # it would print its page
