"""The feeds as people read them in `1_extract`."""

import pandas as pd
import pyarrow as pa

from t3lib.ingest import feeds
from t3lib.ingest.extraction import FILES_SCHEMA


def test_each_feed_is_shown_with_its_columns_and_the_trucks_of_the_batch():
    files = [
        {"key": f"trucks/2026-11/5/15/T3_T{truck}_A1.csv", "kind": "sales", "truck_id": truck, "state": "loaded"}
        for truck in (10, 3, 3)
    ]
    files.append({"key": "metadata/menu.csv", "kind": "metadata", "state": "bad_header"})
    table, outcomes = feeds.table(pa.Table.from_pylist(files, schema=FILES_SCHEMA)).parts
    assert isinstance(table, pd.DataFrame)
    lines = table.set_index("feed").to_dict("index")
    sales, menu = lines["sales of three hours"], lines["menus and prices"]
    assert (sales["columns"], sales["files here"], sales["of trucks"]) == ("timestamp, type, total", "3", "3, 10")
    assert (menu["may also name"], menu["files here"], menu["of trucks"]) == ("unit_cost, vat, from, to", "1", "")
    assert outcomes == "Files of this batch: 1 bad header, 3 loaded."
