"""Each colour is written in one place: the palette."""

import re
import subprocess
from dataclasses import asdict
from pathlib import Path

import pytest

from t3lib.charts import palette
from t3lib.charts.palette import DARK, LIGHT
from t3lib.settings import ROOT

PAGES = Path("t3lib/dashboard/template/voila/templates/t3/static")
STYLE, INBOX, ICON = PAGES / "t3.css", Path("scheduler/embedded/inbox/page.css"), PAGES / "icon.svg"
KINDS = ("*.py", "*.ipynb", "*.css", "*.html", "*.j2", "*.js", "*.svg", "*.typ", "*.toml")
COLOUR = re.compile(r"(?<![&\w])#(?:[0-9a-f]{8}|[0-9a-f]{6}|[0-9a-f]{3,4})(?![\w-])", re.IGNORECASE)
STATED = re.compile(r"--t3-([a-z-]+): (#[0-9a-f]+);")


def listed(*kinds: str) -> list[Path]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *kinds]
    return [Path(name) for name in subprocess.check_output(command, cwd=ROOT, text=True).split()]


def test_no_colour_is_written_outside_the_palette():
    found = {path: COLOUR.findall(STATED.sub("", (ROOT / path).read_text())) for path in listed(*KINDS)}
    outside = {path: colours for path, colours in found.items() if colours}
    assert outside.keys() == {Path("t3lib/charts/palette.py"), ICON}
    assert set(outside[ICON]) <= {*asdict(LIGHT).values()}


@pytest.mark.parametrize("path", [STYLE, INBOX])
def test_a_page_states_the_colours_of_the_palette(path: Path):
    light, dark = (ROOT / path).read_text().split("(prefers-color-scheme: dark)")
    stated = [{name.replace("-", "_"): colour for name, colour in STATED.findall(part)} for part in (light, dark)]
    for theme, values in zip((LIGHT, DARK), stated, strict=True):
        assert values.items() <= asdict(theme).items()
    used = {name.replace("-", "_") for name in re.findall(r"var\(--t3-([a-z-]+)\)", light + dark)}
    assert stated[0].keys() >= used & asdict(LIGHT).keys()
    assert {name for name in stated[0] if getattr(LIGHT, name) != getattr(DARK, name)} <= stated[1].keys()


def test_only_the_two_style_sheets_state_colours():
    stating = {path for path in listed(*KINDS) if STATED.search((ROOT / path).read_text())}
    assert stating == {STYLE, INBOX}
    assert {name.replace("-", "_") for name, _ in STATED.findall((ROOT / STYLE).read_text())} == asdict(LIGHT).keys()


def test_a_mails_style_has_the_colours_of_both_themes():
    style = (ROOT / "t3lib/report/template/email/style.css").read_text()
    light, dark = palette.in_colours(style).split(palette.DARK_THEME)
    assert f".down {{ color: {LIGHT.down}; }}" in light
    assert f".down {{ color: {DARK.down} !important; }}" in dark
    assert "var(" not in light + dark
