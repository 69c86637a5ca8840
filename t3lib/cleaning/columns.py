"""The frames that a rule sees: a column that they do not have is told with those that there are."""

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import numpy as np
import pandas as pd

from t3lib.problems import RefusedError


class UnknownColumnError(RefusedError, AttributeError, KeyError):
    """A rule asks for a column that there is not; the text lists those that there are."""

    __str__ = RefusedError.__str__


WRITTEN = (
    "A rule looks at `rows` and `moments` and writes nothing into them, under another name either: give what you make "
    "a name of its own; rules.read says what a text means."
)


class WrittenError(RefusedError):
    """A rule writes into what all rules look at."""


class Columns(pd.DataFrame):
    """`rows` or `moments` of a batch, named by their index; what is made from them is a plain frame.

    Only `write` changes it: rules look at the same values, and what one of them wrote, the others would see."""

    def __init__(self, frame: pd.DataFrame):
        super().__init__(frame)
        self._seal()

    def write(self, columns: dict[str, Any]) -> None:
        """Give columns other values: what a rule reads a text as."""
        self.must_be_unwritten()
        for name, values in columns.items():
            super().__setitem__(name, values)
        self._seal()

    def must_be_unwritten(self) -> None:
        """Raise WrittenError where something else than `write` changed it, by whatever name."""
        seen = self._sealed
        if all(now is then for now, then in zip(self._parts(), seen.parts, strict=False)):
            return
        if self.index.name != seen.name or not self.equals(seen.frame):
            raise WrittenError(WRITTEN)
        self._seal()  # pandas only put equal columns together

    def __setitem__(self, key: Any, value: Any) -> None:
        raise WrittenError(WRITTEN)

    def __delitem__(self, key: Any) -> None:
        raise WrittenError(WRITTEN)

    def insert(self, *given: Any, **more: Any) -> None:
        """Refused, as every other change."""
        raise WrittenError(WRITTEN)

    def _seal(self) -> None:
        """Make its values unwritable and keep a view of them: pandas replaces what it cannot write into."""
        for block in self._mgr.blocks:
            _make_unwritable(block.values)
        seen = _Sealed(pd.DataFrame(self).copy(deep=False), self._parts(), self.index.name)
        object.__setattr__(self, "_sealed", seen)

    def _parts(self) -> list[Any]:
        return [self.columns, self.index, self.index.name, *(block.values for block in self._mgr.blocks)]

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


def is_one_of(texts: pd.Series, words: tuple[str, ...]) -> np.ndarray:
    """Which texts of a column are one of these words, in any case, with blanks around them."""
    categories = texts.astype("category").cat
    is_word = np.array([str(text).strip().lower() in words for text in categories.categories], bool)
    if not len(is_word):
        return np.zeros(len(texts), bool)
    found: np.ndarray = is_word[categories.codes] & (categories.codes >= 0).to_numpy()
    return found


def part_of(frame: pd.DataFrame, places: np.ndarray) -> pd.DataFrame:
    """The rows at these places, their texts coded in that order: nothing is left of the others or of another order."""
    part = frame.iloc[places].reset_index(drop=True)
    for name in part.columns[part.dtypes == "category"].difference(["weekday"]):
        codes, kept = pd.factorize(part[name].cat.codes.to_numpy())
        part[name] = pd.Categorical.from_codes(codes, part[name].cat.categories[kept])
    return part


@dataclass(frozen=True)
class _Sealed:
    """A frame as it was: a view of it, what it consisted of, and its name."""

    frame: pd.DataFrame
    parts: list[Any]
    name: Any


def _make_unwritable(values: Any) -> None:
    """Let writing into an array raise, and into those that it consists of."""
    if isinstance(values, np.ndarray):
        values.flags.writeable = False
        return
    values._readonly = True  # pandas: an array that refuses to be written into
    for name in ("_data", "_mask", "_codes", "_ndarray"):
        if isinstance(part := getattr(values, name, None), np.ndarray):
            part.flags.writeable = False
