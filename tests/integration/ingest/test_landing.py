"""The bucket: listings, pinned versions, over S3 and in a folder."""

import pytest

from scheduler.embedded import services
from t3lib.landing import Landing, ObjectChangedError
from t3lib.settings import SettingsError

pytestmark = pytest.mark.slow  # it starts an S3 server

KEY = "trucks/2026-11/5/12/T3_T1_A1.csv"


@pytest.fixture(params=["s3", "file"])
def landing(request, home, tmp_path, monkeypatch):
    monkeypatch.setenv("T3_HOME", str(home.path))
    if request.param == "file":
        yield Landing(tmp_path.as_uri())
        return
    with services(("landing",)):
        landing = Landing()
        yield landing
        for found in list(landing.objects()):
            landing.delete(found.key)


def test_what_was_written_is_listed_and_read(landing):
    landing.write(KEY, b"one")
    (found,) = landing.objects("trucks/2026-11/5")
    assert (found.key, found.size) == (KEY, 3)
    assert landing.read(KEY, found.etag) == b"one"
    assert list(landing.objects("trucks/2026-11/6")) == []


def test_a_version_that_was_replaced_after_the_listing_is_not_read(landing):
    landing.write(KEY, b"one")
    (before,) = landing.objects()
    landing.write(KEY, b"two")
    (after,) = landing.objects()
    assert before.etag != after.etag
    with pytest.raises(ObjectChangedError):
        landing.read(KEY, before.etag)
    assert landing.read(KEY, after.etag) == b"two"


def test_a_version_that_went_away_is_not_read(landing):
    landing.write(KEY, b"one")
    (found,) = landing.objects()
    landing.delete(KEY)
    with pytest.raises(ObjectChangedError):
        landing.read(KEY, found.etag)


def test_many_are_read_in_order_and_one_fault_does_not_stop_the_rest(landing):
    for number in range(40):
        landing.write(f"trucks/{number:02d}.csv", str(number).encode())
    wanted = [(found.key, found.etag) for found in landing.objects()]
    wanted.sort()
    wanted[3] = (wanted[3][0], "another")
    read = list(landing.read_many(wanted))
    assert isinstance(read[3], ObjectChangedError)
    assert [data for data in read if isinstance(data, bytes)] == [str(n).encode() for n in range(40) if n != 3]


def test_a_folder_that_is_missing_is_named():
    with pytest.raises(SettingsError, match="/nowhere does not exist"):
        Landing("file:///nowhere")
