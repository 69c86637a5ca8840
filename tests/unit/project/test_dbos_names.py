"""Private names of DBOS that the scheduler uses: one test per name. Should one fail after an update of DBOS, look at
its user in scheduler/ before the pin in pyproject.toml is moved."""

import base64
import inspect
import pickle
from typing import cast

import pytest
from dbos import DBOS
from dbos._context import DBOSContext, current_owner_xid
from dbos._error import DBOSException, DBOSMaxStepRetriesExceeded
from dbos._serialization import DefaultSerializer, Serializer


def test_current_owner_xid_gives_the_token_of_the_running_workflow_only():
    context = DBOSContext()
    context.workflow_id, context.owner_xid = "ingest:a:1", "token"
    assert current_owner_xid("ingest:a:1", context) == "token"
    assert current_owner_xid("ingest:b:1", context) is None


def test_current_owner_xid_gives_nothing_outside_a_workflow():
    assert next(iter(inspect.signature(current_owner_xid).parameters)) == "workflow_id"
    assert current_owner_xid("ingest:a:1") is None


def test_recover_pending_workflows_takes_the_executors_whose_work_is_taken_over():
    assert list(inspect.signature(DBOS._recover_pending_workflows).parameters) == ["executor_ids"]


def test_dbos_exception_is_an_ordinary_exception_that_the_end_of_retries_belongs_to():
    assert issubclass(DBOSException, Exception)
    assert issubclass(DBOSMaxStepRetriesExceeded, DBOSException)


def test_the_end_of_retries_is_made_again_from_its_step_its_tries_and_its_errors():
    met: list[Exception] = [ValueError("first"), ValueError("last")]
    error = DBOSMaxStepRetriesExceeded("stage", 2, met)
    assert (error.step_name, error.max_retries, error.errors) == ("stage", 2, met)


def test_serializer_asks_for_two_methods_and_a_name():
    assert Serializer.__abstractmethods__ == {"serialize", "deserialize"}
    assert list(inspect.signature(Serializer.serialize).parameters) == ["self", "data"]
    assert list(inspect.signature(Serializer.deserialize).parameters)[1:] == ["serialized_data"]
    assert list(inspect.signature(Serializer.name).parameters) == ["self"]


@pytest.mark.parametrize("method", ["serialize", "deserialize"])
def test_default_serializer_has_itself_the_methods_that_are_replaced(method):
    assert method in vars(DefaultSerializer)
    ours, theirs = (inspect.signature(getattr(kind, method)) for kind in (Serializer, DefaultSerializer))
    assert list(ours.parameters)[1:] == list(theirs.parameters)[1:]


def test_default_serializer_is_the_one_that_reads_pickles_by_name(monkeypatch):
    from dbos import _serialization

    asked = []
    monkeypatch.setattr(DefaultSerializer, "deserialize", lambda self, text: asked.append(text))
    text = base64.b64encode(pickle.dumps("a result")).decode()
    _serialization.deserialize_value(text, DefaultSerializer().name(), cast(Serializer, None))
    assert asked == [text]
