"""The distinct values of a batch as two frames, which rules look at: what was sold, and when by which file."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from math import prod

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from t3lib.business_day import business_dates
from t3lib.cleaning.rules import NONE, Rule, Rules
from t3lib.cleaning.truck_facts import TruckFacts
from t3lib.feed.moments import parse_moments
from t3lib.money import parse_amount

# Codes of up to so many combinations are counted in an array of that length, more in a hash table.
_MOST_COUNTED = 8_000_000
_NO_CELLS = ("file_id", "row_number", "line")
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]


@dataclass(frozen=True)
class Distinct:
    """The distinct combinations of some columns: for each row of the batch the place of its combination (`places`),
    and for each combination the row that has it first (`first`) and how many have it (`times`)."""

    places: np.ndarray
    first: np.ndarray
    times: np.ndarray


class Frames:
    """A batch as its rules see it.

    raw: one row per row read (feed.RAW_SCHEMA; further text columns are a feed's own). files: one row per file with
    file_id, truck_id, uploaded_at, window_from and window_to (UTC, no window for history files)."""

    def __init__(self, raw: pa.Table, files: pa.Table, facts: TruckFacts):
        self.raw, self.files, self.facts = raw.combine_chunks(), files.combine_chunks(), facts
        self.file = _positions(self.raw["file_id"], self.files["file_id"])
        self.truck_of_file = _numbers(self.files["truck_id"]).astype(np.int32)
        self.truck = self.truck_of_file[self.file]
        self.cells_differ = ~self.raw["line"].is_null().to_numpy()
        names = [name for name in self.raw.column_names if name not in _NO_CELLS]
        with ThreadPoolExecutor(len(names)) as columns:
            self.cells = dict(zip(names, columns.map(coded, self.raw.select(names).itercolumns()), strict=True))
        seconds, self.is_unread = parse_moments(self.cells["timestamp"].dictionary)
        stamps = pa.array(seconds, pa.timestamp("s", "UTC"), mask=self.is_unread)
        self.dates, self.hours = business_dates(stamps)
        self.stamps, self.seconds = stamps, seconds
        self.stamp = indices(self.cells["timestamp"])
        days = _numbers(self.dates.cast(pa.int32())).astype("datetime64[D]")
        self.menu = np.where(self.is_unread, len(facts.earlier), facts.menu_of(days))

    @cached_property
    def of_rows(self) -> Distinct:
        """The distinct rows: all that a rule can see of a row but the minute and the file, and the menu of its day."""
        hour = np.where(self.is_unread, 0, 1 + _numbers(self.hours))
        local = self.dates.cast(pa.int32())
        weekday = np.where(self.is_unread, 0, (_numbers(local) + 3) % 7)
        times, time = np.unique((self.menu * 7 + weekday) * 25 + hour, return_inverse=True)
        trucks, truck = np.unique(self.truck_of_file, return_inverse=True)
        columns = [(truck.astype(np.int32)[self.file], len(trucks)), (self.cells_differ, 2)]
        columns += [(indices(cell), len(cell.dictionary)) for name, cell in self.cells.items() if name != "timestamp"]
        columns.append((time.astype(np.int32)[self.stamp], len(times)))
        return distinct(columns)

    @cached_property
    def of_moments(self) -> Distinct:
        """The distinct pairs of file and timestamp."""
        return distinct([(self.file, self.files.num_rows), (self.stamp, len(self.cells["timestamp"].dictionary))])

    def rows(self) -> pd.DataFrame:
        """One row per distinct row of the batch, with these columns.

        truck; total and type as written, word (total in lower case without blanks around it), further text columns of
        the feed; pence (missing where the total is no amount), nearest (pence, where it has more than two decimals);
        payment (nothing until a rule reads it); weekday and hour (local, of the business day); cells_differ (the row
        has more or fewer cells than the header); on_menu, hundredth_on_menu, sold, hundredth_sold, has_menu, in_details
        and without_reader (see `TruckFacts.columns`)."""
        at = self.of_rows.first
        total = self.cells["total"]
        frame = {"truck": self.truck[at], "cells_differ": self.cells_differ[at]}
        for name, cell in self.cells.items():
            if name != "timestamp":
                frame[name] = _category(cell.dictionary.to_pylist(), indices(cell)[at])
        texts, codes = total.dictionary.to_pylist(), indices(total)[at]
        frame["word"] = _category([text.replace("\xa0", " ").strip().lower() for text in texts], codes)
        amounts = [parse_amount(text) for text in texts]
        frame["pence"] = _pence([amount.pence for amount in amounts], codes)
        frame["nearest"] = _pence([amount.nearest for amount in amounts], codes)
        stamp = self.stamp[at]
        frame["weekday"] = _weekday(self.dates, stamp)
        frame["hour"] = _masked(_numbers(self.hours), np.asarray(self.is_unread), stamp)
        rows = pd.DataFrame(frame).assign(payment=pd.array([None] * len(at), "str"))
        sold = self.facts.counted(rows, self.of_rows.times)
        return rows.assign(**self.facts.columns(rows, self.menu_of_rows, sold))

    @property
    def menu_of_rows(self) -> np.ndarray:
        """The number of the menu of each distinct row's day: see `TruckFacts.menus`."""
        numbers: np.ndarray = self.menu[self.stamp[self.of_rows.first]]
        return numbers

    def moments(self) -> pd.DataFrame:
        """One row per distinct pair of file and timestamp of the batch: file_id, truck, timestamp as written, sold_at
        (UTC, missing where the text is no time), weekday, hour, uploaded_at, window_from, window_to."""
        at = self.of_moments.first
        file, stamp = self.file[at], self.stamp[at]
        frame = {
            "file_id": self.files["file_id"].to_numpy()[file],
            "truck": self.truck[at],
            "timestamp": _category(self.cells["timestamp"].dictionary.to_pylist(), stamp),
            "sold_at": _moments(self.seconds, self.is_unread, stamp),
            "weekday": _weekday(self.dates, stamp),
            "hour": _masked(_numbers(self.hours), np.asarray(self.is_unread), stamp),
        }
        for name in ("uploaded_at", "window_from", "window_to"):
            column = self.files[name].cast(pa.timestamp("s", "UTC"), safe=False)
            frame[name] = _moments(_numbers(column.cast(pa.int64())), column.is_null().to_numpy(), file)
        return pd.DataFrame(frame)

    def rules(self) -> Rules:
        """Rules to be stated over this batch; each shows how many of its rows it catches."""
        return Rules(self.rows(), self.moments(), self.of_rows.times, self.menu_of_rows, self.facts, self)

    def left(self, rules: Rules, rule: Rule) -> np.ndarray:
        """How many rows of each distinct row (or moment) no rule before this one rejects."""
        own, other = rules.first(rule.of_moments, rule) == NONE, rules.first(not rule.of_moments, rule) == NONE
        found, others = self.of_rows, self.of_moments
        if rule.of_moments:
            found, others = others, found
        times = found.times if other.all() else np.bincount(found.places[other[others.places]], minlength=len(own))
        left: np.ndarray = times * own
        return left


def distinct(columns: list[tuple[np.ndarray, int]]) -> Distinct:
    """The distinct combinations of columns of codes; with each column how many codes it may have."""
    largest = prod(max(size, 1) for _, size in columns)
    key, space = np.zeros(len(columns[0][0]), np.int32 if largest < 2**31 else np.int64), 1
    for codes, size in columns:
        if space * max(size, 1) > 2**62:
            numbers, space = _compact(key)
            key = numbers.astype(np.int64)
        key = key * max(size, 1) + codes
        space *= max(size, 1)
    places, count = _compact(key, space)
    first = np.empty(count, np.int64)
    first[places[::-1]] = np.arange(len(places) - 1, -1, -1)
    return Distinct(places, first, np.bincount(places, minlength=count))


def _compact(codes: np.ndarray, space: int = 2**62) -> tuple[np.ndarray, int]:
    """The same codes numbered from 0 without gaps, and how many there are."""
    if space <= _MOST_COUNTED:
        is_there = np.zeros(space, bool)
        is_there[codes] = True
        numbers = np.cumsum(is_there, dtype=np.int32) - 1
        return numbers[codes], int(is_there.sum())
    found = pa.array(codes).dictionary_encode()
    return indices(found), len(found.dictionary)


def coded(column: pa.ChunkedArray) -> pa.DictionaryArray:
    """A text column as distinct values and positions, an absent cell being the empty text."""
    column = column.combine_chunks()
    if not pa.types.is_dictionary(column.type):
        return pc.fill_null(column, "").dictionary_encode()
    if not column.null_count:
        return column
    words = pa.concat_arrays([column.dictionary, pa.array([""])])
    return pa.DictionaryArray.from_arrays(column.indices.fill_null(len(column.dictionary)), words)


def indices(coded: pa.DictionaryArray) -> np.ndarray:
    """The position of each value among the distinct ones."""
    places: np.ndarray = coded.indices.to_numpy(zero_copy_only=False)
    return places


def _category(words: list[str], codes: np.ndarray) -> pd.Categorical:
    """Texts by their places among the distinct ones, of which several may be the same word."""
    known = {word: number for number, word in enumerate(dict.fromkeys(words))}
    return pd.Categorical.from_codes(
        np.array([known[word] for word in words], np.int64)[codes] if words else codes, list(known)
    )


def _pence(values: list[int | None], codes: np.ndarray) -> pd.array:
    numbers = np.array([0 if value is None else value for value in values], np.int64)
    return _masked(numbers, np.array([value is None for value in values], bool), codes)


def _masked(values: np.ndarray, is_missing: np.ndarray, codes: np.ndarray) -> pd.array:
    return pd.arrays.IntegerArray(values.astype(np.int64)[codes], is_missing[codes])


def _moments(seconds: np.ndarray, is_missing: np.ndarray, codes: np.ndarray) -> pd.DatetimeIndex:
    stamps = seconds.astype("datetime64[s]")
    stamps[is_missing] = np.datetime64("NaT")
    return pd.DatetimeIndex(stamps[codes]).tz_localize("UTC")


def _weekday(dates: pa.Array, codes: np.ndarray) -> pd.Categorical:
    number = np.where(dates.is_null().to_numpy(zero_copy_only=False), -1, (_numbers(dates.cast(pa.int32())) + 3) % 7)
    return pd.Categorical.from_codes(number[codes], DAYS)


def _positions(values: pa.ChunkedArray, among: pa.ChunkedArray) -> np.ndarray:
    places: np.ndarray = pc.index_in(values, among.combine_chunks()).to_numpy()
    return places


def _numbers(column: pa.ChunkedArray | pa.Array) -> np.ndarray:
    filled = pc.fill_null(column, 0)
    numbers: np.ndarray = filled.to_numpy(**({} if isinstance(filled, pa.ChunkedArray) else {"zero_copy_only": False}))
    return numbers
