"""The package headers in a database of rpm, whichever of its formats it has."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from deadweight.inventory.rpm import berkeley, ndb, sqlite
from deadweight.inventory.rpm.pages import BrokenDatabase
from deadweight.layer.collect import Content

FORMATS: tuple[tuple[Callable[[Content], bool], Callable[[Content], Iterator[bytes]]], ...] = (
    (sqlite.recognises, sqlite.headers),
    (ndb.recognises, ndb.headers),
    (berkeley.recognises, berkeley.headers),
)


def headers(content: Content) -> Iterator[bytes]:
    """Each package's header in the order of the database. Raises `BrokenDatabase`."""
    for recognises, read in FORMATS:
        if recognises(content):
            return read(content)
    raise BrokenDatabase("has none of the formats that rpm writes (sqlite, ndb, Berkeley DB)")
