"""rpm's SQLite database: what SQLite writes is read back, and damage ends in one kind of error."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from deadweight.inventory.rpm.database import headers
from deadweight.inventory.rpm.pages import BrokenDatabase
from deadweight.inventory.rpm.reader import RpmReader
from deadweight.layer.content import Whole
from rpm_samples import berkeley_database, ndb_database, package, sqlite_database

blobs = st.lists(
    st.one_of(st.binary(max_size=50), st.integers(0, 3000).map(lambda size: b"b" * size)), max_size=40
)
page_sizes = st.sampled_from([512, 1024, 4096])
damages = st.lists(
    st.tuples(st.integers(0, 1 << 20), st.binary(min_size=1, max_size=6)), min_size=1, max_size=6
)

PACKAGES = [package("a", paths=[f"/usr/{number}" for number in range(100)]), package("b"), package("c")]
with TemporaryDirectory() as _folder:
    DATABASES = [
        sqlite_database(PACKAGES, Path(_folder), 512),
        ndb_database(PACKAGES),
        berkeley_database(PACKAGES),
        berkeley_database(PACKAGES, ">", 1024),
    ]


@settings(deadline=None, max_examples=50)
@given(blobs, page_sizes)
def test_what_sqlite_writes_is_read(written: list[bytes], page_size: int) -> None:
    with TemporaryDirectory() as folder:
        database = sqlite_database(written, Path(folder), page_size)
    assert list(headers(Whole(database))) == written


@settings(deadline=None)
@given(st.sampled_from(DATABASES), damages)
def test_damage_is_told(database: bytes, damage: list[tuple[int, bytes]]) -> None:
    content = bytearray(database)
    for position, data in damage:
        position %= len(content)
        content[position : position + len(data)] = data
    try:
        read = sum(map(len, headers(Whole(bytes(content)))))
    except BrokenDatabase:
        pass
    else:
        assert read <= len(content)
    fact = RpmReader.collector.collect("var/lib/rpm/Packages", Whole(bytes(content)))
    assert isinstance(fact, dict)
    assert isinstance(fact.get("problem", ""), str)
