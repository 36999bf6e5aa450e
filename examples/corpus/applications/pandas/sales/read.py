"""The sales as a table, in the encoding that is named."""

from pathlib import Path

import pandas as pd

DATA = Path("/srv/data")


def sales() -> pd.DataFrame:
    return pd.read_csv(DATA / "sales.csv", parse_dates=["at"])


def run(encoding: str = "utf-8", path: str = "/srv/data/sales.csv") -> str:
    table = pd.read_csv(path, encoding=encoding)
    return f"{len(table)} rows, first {table.iloc[0]['place']}"
