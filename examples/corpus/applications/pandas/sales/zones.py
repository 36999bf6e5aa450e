"""The first sale's time somewhere else."""

from sales.read import sales


def run(zone: str) -> str:
    return sales()["at"].dt.tz_localize("UTC").dt.tz_convert(zone).iloc[0].isoformat()
