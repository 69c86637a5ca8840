"""Serializes arguments, results and errors of the queue as JSON; nothing else is read.

DBOS pickles by default, and unpickles a row that is marked as pickled whatever serializer is configured: anybody who
can write the queue's rows could run code in a worker. So DBOS's own serializer is replaced too (`refuse_pickles`)."""

import json
from typing import Any

from dbos._error import DBOSMaxStepRetriesExceeded
from dbos._serialization import DefaultSerializer, Serializer

from scheduler.queue.takeover import PoisonError
from scheduler.runs.runner import NotebookFailedError
from t3lib.problems import RefusedError, ServiceError, WrongUseError, explain_raised
from t3lib.settings import SettingsError

NAME = "t3_json"
_ERROR = "__error__"
# Errors that are rebuilt as they were, from plain arguments. Rows keep these names: a class that is moved or renamed is
# still found under its recorded name.
_KNOWN: dict[str, type[Exception]] = {
    "NotebookFailedError": NotebookFailedError,
    "PoisonError": PoisonError,
    "RefusedError": RefusedError,
    "ServiceError": ServiceError,
    "SettingsError": SettingsError,
    "WrongUseError": WrongUseError,
}
_NAMES = {kind: name for name, kind in _KNOWN.items()}
_RETRIED = "DBOSMaxStepRetriesExceeded"


class WorkFailedError(Exception):
    """An error that the queue stored: its name and its message."""

    def __init__(self, name: str, words: str):
        super().__init__(name, words)
        self.name, self.words = name, words

    def __str__(self) -> str:
        return explain_raised(self.name, self.words) or f"{self.name}: {self.words}"


class JsonSerializer(Serializer):
    """Plain values and errors as JSON."""

    def serialize(self, data: Any) -> str:
        return json.dumps(data, default=_encoded)

    def deserialize(self, serialized_data: str) -> Any:
        """The value of a JSON text. Raises ValueError for anything else."""
        try:
            return _decoded(json.loads(serialized_data))
        except (ValueError, RecursionError, KeyError, TypeError):
            raise ValueError("A row of the queue is not T3's JSON, so it was not read.") from None

    def name(self) -> str:
        return NAME


def refuse_pickles() -> None:
    """From now on no row of the queue is unpickled in this process, however it is marked."""
    for method in ("serialize", "deserialize"):
        setattr(DefaultSerializer, method, getattr(JsonSerializer, method))


def _encoded(value: Any) -> Any:
    if isinstance(value, DBOSMaxStepRetriesExceeded):
        arguments = [value.step_name, value.max_retries, [_encoded(error) for error in value.errors]]
        return {_ERROR: _RETRIED, "args": arguments}
    if name := _NAMES.get(type(value)):
        return {_ERROR: name, "args": list(value.args)}
    if isinstance(value, WorkFailedError):
        return {_ERROR: value.name, "args": [value.words]}
    if isinstance(value, BaseException):
        return {_ERROR: type(value).__name__, "args": [str(value)]}
    raise TypeError(f"{type(value).__name__} cannot be stored in the queue.")


def _decoded(value: Any) -> Any:
    if not isinstance(value, dict) or _ERROR not in value:
        return value
    name, args = value[_ERROR], value["args"]
    if name == _RETRIED:
        return DBOSMaxStepRetriesExceeded(args[0], args[1], [_decoded(error) for error in args[2]])
    return _KNOWN[name](*args) if name in _KNOWN else WorkFailedError(str(name), str(args[0]))
