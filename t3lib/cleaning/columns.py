"""The frames that a rule sees: a column that they do not have is told with those that there are."""

from difflib import get_close_matches
from typing import Any

import pandas as pd

from t3lib.problems import RefusedError


class UnknownColumnError(RefusedError, AttributeError, KeyError):
    """A rule asks for a column that there is not; the text lists those that there are."""

    __str__ = RefusedError.__str__


class Columns(pd.DataFrame):
    """`rows` or `moments` of a batch, named by their index; what is made from them is a plain frame."""

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:
            if name.startswith("_"):
                raise
            raise self._unknown(name) from None

    def __getitem__(self, key: Any) -> Any:
        asked = key if isinstance(key, list) else [key]
        for name in asked:
            if isinstance(name, str) and name not in self.columns:
                raise self._unknown(name)
        return super().__getitem__(key)

    def _unknown(self, name: str) -> UnknownColumnError:
        frame = f"{self.index.name}s"
        near = get_close_matches(name, list(self.columns), n=1)
        meant = f"did you mean {near[0]}? " if near else ""
        return UnknownColumnError(
            f"`{frame}` have no column {name!r}: {meant}There are {', '.join(map(str, self.columns))}. "
            "Of a file T3 reads timestamp, type and total, no other column."
        )
