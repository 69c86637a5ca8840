"""dlt for ingest.py: `python with_dlt.py SALES.parquet DATABASE_URL` prints the seconds that the load took.

A script of its own because dlt is in .venv-peers, which `make benchmarks` makes."""

import os
import sys
import tempfile
import time

import pyarrow.parquet as pq


def load(path: str, url: str) -> float:
    """Seconds of one load by COPY, the fastest that dlt has for Arrow and Postgres."""
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    os.environ["CREDENTIALS__PASSWORD"] = "none"  # dlt requires one; the embedded server's socket does not
    import dlt

    sales = pq.read_table(path)
    with tempfile.TemporaryDirectory() as folder:
        pipeline = dlt.pipeline("sales", pipelines_dir=folder, destination=dlt.destinations.postgres(_with_host(url)),
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


def _with_host(url: str) -> str:
    """The URL with a host, which dlt requires; the socket's folder in the query takes precedence."""
    return url.replace("@/", "@localhost/")


if __name__ == "__main__":
    print(load(*sys.argv[1:]))
