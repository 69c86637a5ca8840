"""Staged files of a batch: what one notebook leaves for the next. Safe to delete: they follow from the claim."""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from t3lib.settings import settings


class StagingMissingError(Exception):
    """A staged file is missing; running the notebook before makes it again."""


@dataclass(frozen=True)
class Staging:
    """The folder of one batch."""

    folder: Path

    @classmethod
    def of(cls, batch_id: str) -> "Staging":
        """The folder of a batch, made when absent."""
        folder = settings().outputs / "staging" / batch_id
        folder.mkdir(parents=True, exist_ok=True)
        return cls(folder)

    def write(self, name: str, table: pa.Table) -> None:
        """Write a table; the file appears complete or not at all."""
        coded = [field.name for field in table.schema if pa.types.is_dictionary(field.type)]
        self._write_atomically(
            f"{name}.parquet", lambda path: pq.write_table(table, path, compression="lz4", use_dictionary=coded)
        )

    def read(self, name: str) -> pa.Table:
        """A staged table. Raises StagingMissingError."""
        return pq.read_table(self._existing(f"{name}.parquet"))

    def rows(self, name: str) -> int:
        """How many rows a staged table has. Raises StagingMissingError."""
        return pq.read_metadata(self._existing(f"{name}.parquet")).num_rows

    def has(self, name: str, kind: str = "parquet") -> bool:
        """Whether a table is staged; with the kind json, a structure."""
        return (self.folder / f"{name}.{kind}").exists()

    def write_json(self, name: str, value: Any) -> None:
        """Write a small structure."""
        self._write_atomically(f"{name}.json", lambda path: path.write_text(json.dumps(value), encoding="utf-8"))

    def read_json(self, name: str) -> Any:
        """A staged structure. Raises StagingMissingError."""
        return json.loads(self._existing(f"{name}.json").read_text(encoding="utf-8"))

    def remove(self) -> None:
        """Delete the folder, once its rows are committed."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _existing(self, name: str) -> Path:
        path = self.folder / name
        if not path.exists():
            raise StagingMissingError(f"{name} of {self.folder.name} is not staged: run the previous notebook again.")
        return path

    def _write_atomically(self, name: str, write: Callable[[Path], object]) -> None:
        part = self.folder / f".{name}.{os.getpid()}"
        try:
            write(part)
            part.replace(self.folder / name)
        finally:
            part.unlink(missing_ok=True)
