"""Large frames are paged in a notebook of `t3 lab`, and pandas' own tables everywhere else."""

import os

import pandas as pd
import pytest

from scheduler.kernels import paged_tables
from tests.support.kernel import Kernel

pytestmark = pytest.mark.slow  # it starts kernels

IN_LAB = {"T3_LAB": "1", "JPY_SESSION_NAME": "notebooks/mine.ipynb"}
SHOW = "import pandas as pd\npd.DataFrame({'number': range(500)})"


def shown(code: str, **variables: str) -> str:
    """The HTML that a new kernel shows of a cell's last value."""
    kernel = Kernel(env=os.environ | variables)
    try:
        found: list[str] = []
        kernel.client.execute_interactive(
            code,
            timeout=60,
            output_hook=lambda message: found.append(message["content"].get("data", {}).get("text/html")),
        )
    finally:
        kernel.close()
    return next(filter(None, found))


@pytest.mark.slow
def test_only_a_notebook_of_the_lab_pages_large_frames(kernelspec):
    assert f"from '{paged_tables.SCRIPT}'" in shown(SHOW, **IN_LAB)
    assert "<script" not in shown(SHOW.replace("500", "20"), **IN_LAB)
    for missing in IN_LAB:  # such as a dry run from its terminal, or the dashboard
        left = {name: value for name, value in IN_LAB.items() if name != missing}
        assert "<script" not in shown(SHOW, **left)


def test_a_frame_that_pandas_would_cut_is_paged():
    assert "<script" not in paged_tables.html(pd.DataFrame({"number": range(60)}))
    assert paged_tables.SCRIPT in paged_tables.html(pd.DataFrame({"number": range(61)}))
    assert paged_tables.SCRIPT in paged_tables.html(pd.DataFrame([range(30)]))


def test_a_frame_too_large_for_an_output_says_so():
    large = paged_tables.html(pd.DataFrame({"number": range(400_000)}))
    assert len(large) < 12_000_000
    assert "downsampled" in large.lower()


def test_texts_are_shown_as_they_are():
    assert "<img" not in paged_tables.html(pd.DataFrame({"text": ["<img src=x>"] * 100}))
