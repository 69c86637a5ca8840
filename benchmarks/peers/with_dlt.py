"""dlt's turn in ingest.py: `python with_dlt.py SALES.parquet DATABASE_URL` prints the seconds that the load took.

On its own because dlt lives in .venv-peers, which `make benchmarks` makes."""

import os
import sys
import tempfile
import time

import pyarrow.parquet as pq


def load(path: str, url: str) -> float:
    """Seconds of one load by COPY, the fastest that dlt has for Arrow and Postgres."""
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    os.environ["CREDENTIALS__PASSWORD"] = "none"  # it insists on one; the embedded server's socket asks for none
    import dlt

    sales = pq.read_table(path)
    with tempfile.TemporaryDirectory() as folder:
        pipeline = dlt.pipeline("sales", pipelines_dir=folder, destination=dlt.destinations.postgres(_told(url)),
                                dataset_name="dlt_peer")  # fmt: skip
        start = time.perf_counter()
        done = pipeline.run(sales, table_name="sale", write_disposition="append", loader_file_format="csv")
        seconds = time.perf_counter() - start
        done.raise_on_failed_jobs()
        with pipeline.sql_client() as client:
            (rows,) = client.execute_sql("SELECT count(*) FROM sale")[0]
    if rows != sales.num_rows:
        raise SystemExit(f"dlt loaded {rows:,} of {sales.num_rows:,} rows")
    return seconds


def _told(url: str) -> str:
    """dlt wants a host in its place; a socket's folder in the query still goes before it."""
    return url.replace("@/", "@localhost/")


if __name__ == "__main__":
    print(load(*sys.argv[1:]))
