"""Reading the archive without the database: as a Dask frame on any cluster, or as an Arrow dataset."""

import hashlib
import os
from urllib.parse import unquote, urlsplit

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.fs
from dask import dataframe as dd
from dask.distributed import Client

from t3lib.archive.layout import FOLDERS, SCHEMA, Day, between
from t3lib.archive.store import Archive
from t3lib.settings import settings

# Dask's status pages cannot be switched off; by default they are open to the network.
LOOPBACK = "127.0.0.1:0"

_ROWS = pa.schema([*FOLDERS, *SCHEMA])


def cluster() -> Client:
    """A client of the cluster at T3_DASK_SCHEDULER; without one, of a cluster of threads in this process.

    Its workers need t3lib and, in their own environment, T3_ARCHIVE_URL with its T3_S3_* settings: no secret is sent
    with the work. Closing the client ends a cluster in this process, and no other."""
    if address := settings().dask_scheduler:
        return Client(address, timeout="10s")
    pages = {"dashboard_address": LOOPBACK, "worker_dashboard_address": LOOPBACK}
    return Client(processes=False, n_workers=1, threads_per_worker=os.cpu_count() or 1, **pages)


def sales(first: str = "", last: str = "") -> dd.DataFrame:
    """One row per sale from one business month to another (YYYY-MM, both included; empty: no bound).

    One Dask partition per month and truck. Pence are integers; sold_at is UTC, business_date a local day."""
    folders: dict[tuple[str, int], list[Day]] = {}
    for day in between(first, last, Archive().days()[0]):
        folders.setdefault((day.month, day.truck_id), []).append(day)
    if not folders:
        return dd.from_pandas(_frame(_ROWS.empty_table()), npartitions=1)
    return dd.from_map(read_days, list(folders.values()), meta=_frame(_ROWS.empty_table()), label="archive")


def read_days(days: list[Day], columns: list[str] | None = None) -> pd.DataFrame:
    """The sales of some days of one truck and month; runs on the workers."""
    archive, wanted = Archive(), _ROWS.names if columns is None else columns
    inside = [name for name in wanted if name in SCHEMA.names] or ["total_pence"]
    tables = [table for day in days if (table := archive.read_day(day, inside)) is not None]
    rows = pa.concat_tables([SCHEMA.empty_table().select(inside), *tables])
    for name, value in (("business_month", days[0].month), ("truck_id", days[0].truck_id)):
        rows = rows.append_column(FOLDERS.field(name), pa.repeat(value, rows.num_rows).cast(FOLDERS.field(name).type))
    return _frame(rows.select(wanted))


def dataset(first: str = "", last: str = "") -> ds.Dataset:
    """The same as an Arrow dataset, read the way other engines read it: from the names of the folders."""
    archive = Archive()
    filesystem, root = _filesystem(archive.url)
    paths = [f"{root}/{day.key}" for day in between(first, last, archive.days()[0])]
    folders = ds.partitioning(FOLDERS, flavor="hive")
    if not paths:
        return ds.dataset(_ROWS.empty_table())
    return ds.dataset(paths, schema=_ROWS, format="parquet", filesystem=filesystem, partitioning=folders)


def version() -> str:
    """A digest of every object's version: as long as it is the same, so are the sales that are read."""
    listed = sorted(f"{found.key}\t{found.etag}" for found in Archive().objects() if Day.of(found.key))
    return hashlib.sha256("\n".join(listed).encode()).hexdigest()[:12]


def pence(first: str = "", last: str = "") -> int:
    """Gross sales of the same months, read by Arrow."""
    return pc.sum(dataset(first, last).to_table(columns=["total_pence"])["total_pence"], min_count=0).as_py()


def _frame(rows: pa.Table) -> pd.DataFrame:
    return rows.to_pandas(date_as_object=False)


def _filesystem(url: str) -> tuple[pyarrow.fs.FileSystem, str]:
    """Arrow's own reader of a store, and the path of the archive in it."""
    parts, chosen = urlsplit(url), settings()
    if parts.scheme in ("", "file"):
        return pyarrow.fs.LocalFileSystem(), unquote(parts.path).rstrip("/")
    if parts.scheme != "s3":
        return pyarrow.fs.FileSystem.from_uri(url)
    known = {"endpoint_override": chosen.s3_endpoint} if chosen.s3_endpoint else {}
    if chosen.s3_access_key_id:
        known |= {"access_key": chosen.s3_access_key_id, "secret_key": chosen.need("s3_secret_access_key")}
    return pyarrow.fs.S3FileSystem(region=chosen.s3_region, **known), f"{parts.netloc}{parts.path}".rstrip("/")
