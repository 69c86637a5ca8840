"""The warm process imports what it can."""

import t3lib
from scheduler.kernels import preload


def test_a_half_edited_package_does_not_stop_the_kernels(tmp_path, monkeypatch, capsys):
    for name, text in (("half", "def edited(:"), ("whole", "LOADED = True")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(text)
    monkeypatch.setattr(t3lib, "__path__", [str(tmp_path)])
    monkeypatch.setattr(preload, "MODULES", ())
    preload.warm()
    assert "kernels start without t3lib.half" in capsys.readouterr().err
    assert t3lib.whole.LOADED
