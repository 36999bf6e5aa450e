"""The parcels as a table of comma-separated values."""

import csv
import io

from ledger import parcels


def export() -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, ["number", "to", "grams"])
    writer.writeheader()
    writer.writerows(parcels.rows())
    return out.getvalue()
