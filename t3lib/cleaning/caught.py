"""What a rule shows below its cell: how many rows of the batch it catches, and some of them."""

import html
from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Caught:
    """How many rows of the batch a rule catches that no rule before it rejected, and three of them.

    rejected: where there is none, how many rows that it is about a rule above rejects."""

    code: str
    sentence: str
    count: int
    examples: pd.DataFrame
    rejected: int = 0

    def _repr_html_(self) -> str:
        rows = _table(self.examples) if self.count else ""
        return f"<p><b>{html.escape(self.code)}</b>: {self._counted} {html.escape(self.sentence)}</p>{rows}"

    def __repr__(self) -> str:
        rows = f"\n{self.examples.to_string(index=False)}" if self.count else ""
        return f"{self.code}: {self._counted} {self.sentence}{rows}"

    @property
    def _counted(self) -> str:
        rejected = f" All {self.rejected:,} that it is about are rejected above." if self.rejected else ""
        return f"{self.count:,} {'row' if self.count == 1 else 'rows'} of this batch.{rejected}"


def most_often(rows: pd.DataFrame, hit: np.ndarray, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of the rows at these places one of each truck, total and type, and how often they occur, the most frequent first.

    By codes, as grouping a frame costs more than a rule."""
    key = rows["truck"].to_numpy(np.int64)[hit]
    for name in ("total", "type"):
        cells = rows[name].cat
        key = key * (len(cells.categories) + 1) + cells.codes.to_numpy(np.int64)[hit]
    _, first, place = np.unique(key, return_index=True, return_inverse=True)
    together = np.bincount(place, weights=times).astype(np.int64)
    order = np.argsort(-together, kind="stable")
    return hit[first[order]], together[order]


def _table(frame: pd.DataFrame) -> str:
    """A small frame as HTML. pandas takes longer for it than a rule for a batch."""
    lines = [("th", list(frame.columns)), *(("td", row) for row in zip(*(frame[name] for name in frame), strict=True))]
    rows = ("".join(f"<{tag}>{html.escape(str(cell))}</{tag}>" for cell in line) for tag, line in lines)
    return f"<table class='dataframe'><tr>{'</tr><tr>'.join(rows)}</tr></table>"
