"""The parcels summed up by a database."""

import sqlite3

from ledger import parcels


def export() -> str:
    with sqlite3.connect(":memory:") as store:
        store.execute("create table parcel (number, place, grams)")
        store.executemany("insert into parcel values (:number, :to, :grams)", parcels.rows())
        return f"total {store.execute('select sum(grams) from parcel').fetchone()[0]}"
