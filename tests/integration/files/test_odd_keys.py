"""Keys that nobody expects: on an S3 server that keeps any key, and names, links and pipes in a folder."""

import logging
import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import obstore
import pytest
from botocore.session import get_session
from moto.s3.models import s3_backends
from moto.server import ThreadedMotoServer
from obstore.exceptions import BaseError

from t3lib import feed
from t3lib.archive import Archive
from t3lib.ingest.discovery import discover
from t3lib.landing import Landing, ObjectChangedError
from t3lib.landing.folder import LINK_FOLDER, LINK_LOOP, LINK_NOWHERE, LINK_OUT, NO_FILE
from t3lib.landing.objects import visible_key
from t3lib.problems import explain
from t3lib.settings import settings
from tests.support.feeding import HEADER, LUNCH, assert_reconciles, at, put, rows, sales, states, take_in

pytestmark = pytest.mark.slow  # it starts S3 servers

SESSION = get_session()  # it reads botocore's descriptions once
GOOD = f"{HEADER}\n{at('12:00', 'card', '4.99')}\n".encode()
PLACE = "trucks/2026-11/5/15"
ODD = [
    "trucks/2026-11/5//T3_T9_F1.csv", "trucks/2026-11/5/./T3_T9_F1.csv", "trucks/../T3_T9_F1.csv", "..", ".",
    f"/{PLACE}/T3_T9_F1.csv", f"{PLACE}/T3_T9_F1.csv/", f"{PLACE}/", "metadata/menu.csv/", f"{PLACE}/T3_T%39_F1.csv",
    f"{PLACE}/T3_T9_F1.csv\n", f"{PLACE}/T3_T٣_F1.csv", "control\x01\x1f\x7f", "nul\0nul", "a+b c", "k" * 1024,
    "é" * 512, "\x01" * 1024, "<&>\"'", "back\\slash", "\u202eright to left",
]  # fmt: skip


@pytest.fixture
def s3(database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client of an S3 server that keeps every key as it is; the buckets are configured."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    host, port = server.get_host_and_port()
    known = {"s3_endpoint": f"http://{host}:{port}", "s3_region": "us-east-1", "s3_access_key_id": "the key's id",
             "s3_secret_access_key": "a secret", "landing_url": "s3://landing",
             "archive_url": "s3://landing/archive"}  # fmt: skip
    for name, value in known.items():
        monkeypatch.setenv(f"T3_{name.upper()}", value)
    settings.cache_clear()
    client: Any = SESSION.create_client(
        "s3", endpoint_url=known["s3_endpoint"], region_name="us-east-1", aws_access_key_id=known["s3_access_key_id"],
        aws_secret_access_key="a secret")  # fmt: skip
    client.create_bucket(Bucket="landing")
    yield client
    server.stop()
    s3_backends.reset()


def upload(s3: Any, key: str, data: bytes = GOOD) -> None:
    if "\n" in key:  # this server's own door refuses it
        s3_backends["123456789012"]["aws"].put_object("landing", key, data)
    else:
        s3.put_object(Bucket="landing", Key=key, Body=data)


@pytest.mark.parametrize("key", ODD, ids=lambda key: ascii(key)[:40])
def test_an_odd_key_is_ignored_and_the_others_are_loaded(s3: Any, key: str):
    upload(s3, LUNCH)
    upload(s3, key)
    take_in()
    shown = visible_key(key.encode())
    assert (states()[LUNCH], states()[shown]) == ("loaded", "ignored")
    assert sales() == [(3, 1, 499)]
    take_in()
    assert rows("SELECT count(*) FROM ops.source_file") == [(2,)]
    assert_reconciles()


def test_all_of_them_at_once_are_listed_as_text(s3: Any):
    for key in [LUNCH, *ODD]:
        upload(s3, key)
    found = {o.key for o in Landing().objects()}
    assert len(found) == 1 + len(ODD)
    assert all(key.isprintable() and len(key.encode()) <= 2100 for key in found)
    discover(Landing(), sweep=True)
    assert set(states()) == found


def test_what_a_store_says_in_its_own_words_is_reported_in_one_line(s3: Any):
    upload(s3, "trucks//a")
    with pytest.raises(BaseError) as refused:
        list(obstore.list(Landing().store))  # which is why listings are not obstore's
    assert explain(refused.value) == "The object store failed: " + str(refused.value).split("Debug")[0].strip()
    assert "\n" not in explain(refused.value)


def test_what_lies_under_a_prefix_and_what_only_begins_like_it(s3: Any):
    for key in ("trucks/2026-11/5/15/a", "trucks/2026-11/5//b", "trucks/2026-11/50/c"):
        upload(s3, key)
    assert [o.key for o in Landing().objects("trucks/2026-11/5")] == ["trucks/2026-11/5//b", "trucks/2026-11/5/15/a"]
    upload(s3, "archive/business_month=2026-11//x.parquet")
    upload(s3, "archive/..parquet")
    assert Archive().days() == ([], ["..parquet", "business_month=2026-11//x.parquet"])
    assert Archive().folders() == ["business_month=2026-11"]


def test_only_plain_digits_make_a_key_of_the_feed():
    assert feed.parse("trucks/2026-11/5/15/T3_T٣_F1.csv").kind == "other"
    assert feed.parse("historical/TRUCK_DATA_HIST_٣.parquet").kind == "other"


def test_a_key_is_shown_as_text_that_a_database_can_hold():
    assert visible_key(b"trucks/5/T3_T1_A1.csv") == "trucks/5/T3_T1_A1.csv"
    assert visible_key(b"a\0\n\xff\xed\xa0\x80") == "a\\x00\\n\\xff\\xed\\xa0\\x80"
    long = [visible_key(b"/".join([b"x" * 200] * 20) + end) for end in (b"1", b"2")]
    assert long[0] != long[1]
    assert all(len(key.encode()) <= 2000 for key in long)


@pytest.fixture
def odd_folder(bucket: Path, tmp_path: Path) -> Iterator[Path]:
    """A landing folder with a good file and everything that is none."""
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    place = bucket / "trucks/2026-11/5/15"
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/secret.csv").write_bytes(GOOD)
    (place / "T3_T4_A1.csv").symlink_to(tmp_path / "outside/secret.csv")
    (bucket / "outside").symlink_to(tmp_path / "outside")
    (bucket / "trucks/loop").symlink_to(bucket / "trucks")
    (place / "T3_T5_A1.csv").symlink_to(place / "T3_T5_A1.csv")
    (place / "T3_T6_A1.csv").symlink_to(place / "nowhere")
    os.mkfifo(place / "T3_T7_A1.csv")
    door = socket.socket(socket.AF_UNIX)
    door.bind(str(place / "T3_T8_A1.csv")) if len(str(place)) < 80 else os.mkfifo(place / "T3_T8_A1.csv")
    Path(os.fsdecode(os.fsencode(place) + b"/T3_T9_\xff.csv")).write_bytes(GOOD)
    (place / "T3_T9_A1.csv\n").write_bytes(GOOD)
    yield bucket
    door.close()


def test_links_loops_pipes_and_odd_names_are_listed_as_ignored_and_the_rest_is_loaded(odd_folder: Path):
    take_in()
    place = "trucks/2026-11/5/15"
    assert dict(rows("SELECT key, reason FROM ops.source_file WHERE state = 'ignored'")) == {
        f"{place}/T3_T4_A1.csv": LINK_OUT,
        "outside": LINK_FOLDER,
        "trucks/loop": LINK_FOLDER,
        f"{place}/T3_T5_A1.csv": LINK_LOOP,
        f"{place}/T3_T6_A1.csv": LINK_NOWHERE,
        f"{place}/T3_T7_A1.csv": NO_FILE,
        f"{place}/T3_T8_A1.csv": NO_FILE,
        f"{place}/T3_T9_\\xff.csv": "Not a file of the feed: its key follows none of the known layouts.",
        f"{place}/T3_T9_A1.csv\\n": "Not a file of the feed: its key follows none of the known layouts.",
    }
    assert sales() == [(3, 1, 499)]
    before = rows("SELECT count(*) FROM ops.source_file")
    take_in()
    assert rows("SELECT count(*) FROM ops.source_file") == before
    assert_reconciles()


def test_a_link_inside_the_folder_is_a_file_and_one_that_is_turned_outside_is_not_read(bucket: Path, tmp_path: Path):
    put(bucket, "kept/lunch.csv", at("12:00", "card", "4.99"))
    (tmp_path / "secret.csv").write_bytes(GOOD)
    link = bucket / LUNCH
    link.parent.mkdir(parents=True)
    link.symlink_to(bucket / "kept/lunch.csv")
    found = {o.key: o for o in Landing().objects()}[LUNCH]
    assert Landing().read(LUNCH, found.etag) == GOOD
    link.unlink()
    link.symlink_to(tmp_path / "secret.csv")
    with pytest.raises(ObjectChangedError):
        Landing().read(LUNCH, found.etag)


def test_a_prefix_that_is_a_link_out_of_the_folder_lists_nothing(bucket: Path, tmp_path: Path):
    (tmp_path / "outside/2026-11").mkdir(parents=True)
    (tmp_path / "outside/2026-11/a.csv").write_bytes(GOOD)
    (bucket / "trucks").symlink_to(tmp_path / "outside")
    assert list(Landing().objects("trucks/2026-11")) == []


def test_a_folder_too_deep_to_be_listed_is_named(bucket: Path):
    put(bucket, LUNCH, at("12:00", "card", "4.99"))
    before = os.getcwd()
    os.chdir(bucket)
    try:
        for _ in range(25):  # longer than any path that the kernel takes
            os.mkdir("d" * 200)
            os.chdir("d" * 200)
    finally:
        os.chdir(before)
    take_in()
    shutil.rmtree(bucket / ("d" * 200))
    (ignored,) = rows("SELECT key, reason FROM ops.source_file WHERE state = 'ignored'")
    assert ignored[0].startswith("ddd")
    assert ignored[1] == "Cannot be listed: File name too long."
    assert sales() == [(3, 1, 499)]
