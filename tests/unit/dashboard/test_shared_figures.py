"""What pages of one server read for each other."""

import os
import threading
import time
from pathlib import Path

import pytest

from t3lib.dashboard import shared_figures as module
from t3lib.dashboard.shared_figures import FOLDER, shared


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(FOLDER, str(tmp_path))
    return tmp_path


def test_visitors_who_arrive_while_it_is_read_wait_for_it(folder: Path):
    readings, found = [], []

    def read() -> int:
        readings.append(1)
        time.sleep(0.3)
        return 42

    threads = [threading.Thread(target=lambda: found.append(shared("k", read))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (found, len(readings)) == ([42] * 8, 1)


def test_a_failed_reading_is_nobody_elses(folder: Path):
    with pytest.raises(ZeroDivisionError):
        shared("k", lambda: 1 // 0)
    assert shared("k", lambda: 2) == 2


def test_one_who_holds_the_lock_for_too_long_is_not_waited_for(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "LOCK_WAIT_SECONDS", 0.05)
    held, go_on = threading.Event(), threading.Event()

    def slow() -> int:
        held.set()
        go_on.wait(10)
        return 1

    thread = threading.Thread(target=shared, args=("k", slow))
    thread.start()
    held.wait(10)
    assert shared("k", lambda: 2) == 2
    go_on.set()
    thread.join()


def test_what_is_old_goes(folder: Path):
    shared("a", lambda: 1)
    for path in folder.iterdir():
        os.utime(path, (1, 1))
    shared("b", lambda: 2)
    assert len(list(folder.iterdir())) == 2  # one value and its lock


def test_without_a_folder_each_reads_for_itself(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv(FOLDER, raising=False)
    assert [shared("k", lambda: 1), shared("k", lambda: 2)] == [1, 2]


@pytest.mark.parametrize("name", ["t3lib.moved_since", "t3lib.money"])
def test_what_a_page_of_an_earlier_version_left_is_read_anew(folder: Path, name: str):
    assert shared("k", lambda: 1) == 1
    (left,) = (path for path in folder.iterdir() if path.suffix != ".lock")
    left.write_bytes(f"c{name}\nno_such_class\n.".encode())  # a pickle that names a class which is not there
    assert shared("k", lambda: 2) == 2
