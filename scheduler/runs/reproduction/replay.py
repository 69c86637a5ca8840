"""The program that `t3 reproduce` of any later version starts in this commit's tree: takes batches of files in, one
after the other, as they came, and executes one notebook. It is run with the modules of its own commit.

Its protocol may only grow, since later versions run this very file:

    python -P replay.py WORK BUCKET

in     WORK is a JSON file: `batches`, lists of files ({"key", "path" of the bytes, "at" seconds since 1970 of the
       upload}) in the order in which they were loaded; `stages`, the notebooks to execute on the last of them, or [] to
       take that one in too and execute `notebook` with `parameters`; `applied`, lists that a person applied to the past
       ({"after" how many batches were loaded, "list", "from" day, "at" seconds, "by", "why"}); may be missing.
       BUCKET is an empty folder, the one of T3_LANDING_URL; T3_ARCHIVE_URL, T3_HOME and T3_OUTPUTS name empty folders
       too. The tree is the working folder and PYTHONPATH. No database is configured: a new embedded one is made.
out    The last line of standard output is JSON: {"executed_copy": its path}. Readers ignore names that they do not
       know. (The first versions printed the bare path.)
error  Any exit code but 0; the last line of standard error says why."""

import json
import os
import shutil
import sys
from datetime import UTC, date, datetime
from pathlib import Path

from scheduler import kernels
from scheduler.embedded import services
from scheduler.runs.runner import run_notebook
from t3lib import warehouse
from t3lib.business_day import business_date
from t3lib.ingest import pipeline
from t3lib.ingest.discovery import discover
from t3lib.landing import Landing
from t3lib.metrics.money.margins import contributions
from t3lib.settings import settings
from t3lib.warehouse.files import batches
from t3lib.warehouse.load import applying


def main(work: dict, bucket: Path) -> Path:
    """Take in the batches that the run saw; for its own batch, run the notebooks up to its own."""
    kernels.warm()
    earlier, own = (work["batches"][:-1], work["batches"][-1:]) if work["stages"] else (work["batches"], [])
    for number, batch in enumerate(earlier):
        apply([one for one in work.get("applied", []) if one["after"] == number])
        for batch_id in claim(batch, bucket):
            take_in(batch_id)
    apply([one for one in work.get("applied", []) if one["after"] >= len(earlier)])
    if not own:
        return Path(run_notebook(work["notebook"], work["parameters"], role="report").path)
    (batch_id,) = claim(own[0], bucket)
    return [Path(run_notebook(stage, {"batch_id": batch_id}).path) for stage in work["stages"]][-1]


def apply(decided: list[dict]) -> None:
    """Apply lists to the past, as people did at that time, and clean again what that asks for."""
    for one in decided:
        moment = datetime.fromtimestamp(one["at"], UTC)
        with warehouse.connect() as db:
            applying.apply(db, one["list"], date.fromisoformat(one["from"]), contributions, actor=one["by"],
                           why=one["why"], on=business_date(moment))  # fmt: skip
            batches.claim(db, settings().batch_bytes)
        for batch_id in waiting():
            take_in(batch_id)


def claim(batch: list[dict], bucket: Path) -> list[str]:
    """Put the files of a batch into the bucket, with their time of upload, and claim them."""
    for file in batch:
        place = bucket / file["key"]
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file["path"], place)
        os.utime(place, (file["at"], file["at"]))
    discover(Landing(), sweep=True)
    return waiting()


def take_in(batch_id: str) -> None:
    """Take in one batch, and those that reprocess loaded files because of it, without kernels."""
    batch = pipeline.open_batch(batch_id)
    for stage in (pipeline.extract_batch, pipeline.clean_batch, pipeline.load_batch):
        stage(batch)
    with warehouse.connect() as db:
        batches.finish(db, batch_id)
    for following in waiting():
        take_in(following)


def waiting() -> list[str]:
    with warehouse.connect() as db:
        return [batch[0] for batch in batches.open_batches(db)]  # older commits: pairs


if __name__ == "__main__":
    with services(("database",), lambda line: None):
        warehouse.upgrade()
        copy = main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), Path(sys.argv[2]))
        print(json.dumps({"executed_copy": str(copy)}))
