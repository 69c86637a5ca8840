"""Ten thousand small files from a slow bucket: round trips must overlap.

A proxy in front of the S3 server delays every answer, as a distant bucket does. Reading all files is compared with
the same number of round trips one after the other, measured on a share of the files."""

import asyncio
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from urllib.parse import urlsplit

from benchmarks.measures import Measure, row, run, scratch_home, seconds
from t3lib import warehouse
from t3lib.ingest import pipeline
from t3lib.ingest.discovery import discover
from t3lib.landing import READERS, Landing, Object
from t3lib.settings import settings
from t3lib.warehouse.files import batches

AWAY_SECONDS = 0.02
GOAL = READERS / 4
_LINES = "".join(f"2026-11-05 10:{minute:02d}:00+00:00,card,{minute % 9 + 1}.50\n" for minute in range(20))


def measure(quick: bool) -> list[Measure]:
    """Files per second, read through the ledger and the pipeline, and one after the other."""
    count = 1_000 if quick else 10_000
    with scratch_home():
        _put(count)
        with _far_away():
            listed = seconds(lambda: discover(Landing(), sweep=True))
            took = seconds(lambda: [pipeline.extract_batch(pipeline.open_batch(batch)) for batch in _claimed()])
            alone = _one_by_one(list(Landing().objects())[: count // 20])
    together = count / took
    met = together / alone >= GOAL
    return [
        row(f"{count:,} files listed, entered, claimed", count / listed, "files/s"),
        row(f"{count:,} files of 20 rows read, each answer {AWAY_SECONDS * 1000:g} ms away", together, "files/s",
            "one after the other", alone, f"at least {GOAL:g} times", met),
    ]  # fmt: skip


def _put(count: int) -> None:
    """Put so many files of 57 trucks into the bucket; no two are alike."""
    landing, first = Landing(), date(2026, 1, 1)
    for number in range(count):
        day = first + timedelta(days=number // (57 * 4))
        key = f"trucks/{day.year}-{day.month}/{day.day}/{12 + 3 * (number // 57 % 4)}/T3_T{number % 57 + 1}_A1.csv"
        landing.write(key, f"timestamp,type,total\n{_LINES}2026-11-05 11:00,cash,{number}\n".encode())


def _claimed() -> list[str]:
    with warehouse.connect() as db:
        return [batch.batch_id for batch in batches.open_batches(db)]


def _one_by_one(objects: list[Object]) -> float:
    landing = Landing()
    return len(objects) / seconds(lambda: [landing.read(found.key, found.etag) for found in objects])


@contextmanager
def _far_away() -> Iterator[None]:
    """Reach the bucket only through a proxy that delays every answer."""
    near, loop, ready = settings(), asyncio.new_event_loop(), threading.Event()
    ports: list[int] = []

    async def serve() -> None:
        relay = _relay(urlsplit(near.need("s3_endpoint")).port or 0)
        server = await asyncio.start_server(relay, "127.0.0.1", 0)
        ports.append(server.sockets[0].getsockname()[1])
        ready.set()

    threading.Thread(target=lambda: (loop.create_task(serve()), loop.run_forever()), daemon=True).start()
    ready.wait()
    names = ("landing_url", "s3_region", "s3_access_key_id", "s3_secret_access_key")
    far = {f"T3_{name.upper()}": near.need(name) for name in names}
    os.environ |= far | {"T3_S3_ENDPOINT": f"http://127.0.0.1:{ports[0]}"}
    settings.cache_clear()
    try:
        yield
    finally:
        for name in (*far, "T3_S3_ENDPOINT"):
            del os.environ[name]
        settings.cache_clear()


def _relay(port: int):
    """A proxy that passes bytes on and delays the answers."""

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, forth = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(_pass(reader, forth, 0), _pass(back, writer, AWAY_SECONDS))

    return relay


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float) -> None:
    while data := await reader.read(2**16):
        await asyncio.sleep(delay)
        writer.write(data)
    writer.close()


if __name__ == "__main__":
    run("small_files", __doc__, measure)
