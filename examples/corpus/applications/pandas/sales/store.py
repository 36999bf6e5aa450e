"""To a database, to packed files, and back."""

import sqlite3
import tempfile
from pathlib import Path

import pandas as pd

from sales.read import sales


def run() -> str:
    table = sales()
    with tempfile.TemporaryDirectory() as name, sqlite3.connect(Path(name) / "sales.db") as store:
        table.to_sql("sales", store, index=False)
        [total] = pd.read_sql("select sum(tons) as total from sales", store)["total"]
        counts = [total]
        for suffix in (".csv.gz", ".csv.xz", ".csv.bz2", ".csv.zip"):
            table.to_csv(Path(name) / f"sales{suffix}", index=False)
            counts.append(pd.read_csv(Path(name) / f"sales{suffix}")["tons"].sum())
        table.to_pickle(Path(name) / "sales.pkl")
        counts.append(pd.read_pickle(Path(name) / "sales.pkl")["tons"].sum())
    return f"totals {sorted({int(count) for count in counts})}"
