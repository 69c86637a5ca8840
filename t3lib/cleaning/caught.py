"""What a rule shows below its cell: how many rows of the batch it catches, and some of them."""

import html
from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class Caught:
    """How many rows of the batch a rule catches that no rule before it rejected, and three of them."""

    code: str
    sentence: str
    count: int
    examples: pd.DataFrame

    def _repr_html_(self) -> str:
        rows = self.examples.to_html(index=False, border=0) if self.count else ""
        said = f"<b>{html.escape(self.code)}</b>: {self.count:,} {'row' if self.count == 1 else 'rows'} of this batch."
        return f"<p>{said} {html.escape(self.sentence)}</p>{rows}"

    def __repr__(self) -> str:
        return (
            f"{self.code}: {self.count:,} rows of this batch. {self.sentence}\n{self.examples.to_string(index=False)}"
        )
