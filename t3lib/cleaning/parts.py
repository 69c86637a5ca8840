"""Parts of a batch over which rules are stated again: what becomes of a row must not depend on the others."""

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from t3lib.cleaning.rules import Rules

Places: TypeAlias = tuple[np.ndarray, np.ndarray]  # of rows, of moments


def halves(rules: "Rules") -> list[Places]:
    """Two halves of a batch by place: every second row by amount and every second moment by time, then the rest. An
    amount or time that occurs twice is in both. Each half has an order of its own, the same each time."""
    amounts = rules.rows["pence"].fillna(-1).to_numpy(np.int64).argsort()
    times = rules.moments["sold_at"].to_numpy("datetime64[s]").argsort()
    chance = np.random.default_rng(1)
    return [(chance.permutation(amounts[at::2]), chance.permutation(times[at::2])) for at in (0, 1)]


def ends(values: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """The places of the least and of the greatest value, each as an array; of the first one where all are missing."""
    known = np.flatnonzero(values.notna())
    if not len(known):
        return np.arange(len(values))[:1], np.arange(len(values))[:1]
    there = values.iloc[known]
    return known[[there.argmin()]], known[[there.argmax()]]


def hours(rules: "Rules") -> list[Places]:
    """The places of the hours from the middle one, and of those before it of the last truck; none that is empty.

    A mean of hours or trucks is another there, which both halves and a lone amount may not tell."""
    frames = rules.unread, rules.moments
    at = [frame["hour"].fillna(-1).to_numpy(np.int64) for frame in frames]
    trucks = [frame["truck"].to_numpy() for frame in frames]
    if not len(at[0]):
        return []
    is_late = [hour >= np.median(at[0]) for hour in at]
    last = trucks[0][~is_late[0]].max(initial=0)
    is_early = [~late & (truck == last) for late, truck in zip(is_late, trucks, strict=True)]
    parts = [(np.flatnonzero(rows), np.flatnonzero(moments)) for rows, moments in (is_late, is_early)]
    return [part for part in parts if 0 < len(part[0]) < len(at[0])]
