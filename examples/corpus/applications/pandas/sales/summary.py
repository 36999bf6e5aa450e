"""The sum for each place and month."""

from sales.read import sales


def run() -> str:
    table = sales()
    table["month"] = table["at"].dt.strftime("%Y-%m")
    return table.pivot_table(index="place", columns="month", values="tons", aggfunc="sum").to_string()
