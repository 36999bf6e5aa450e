"""The targets of fuzzing on the inputs that they start from, and what was found to hurt before."""

from __future__ import annotations

import struct

import pytest

from deadweight.accounting.secret_formats import secrets_in
from deadweight.inventory import elf
from deadweight.inventory.rpm.pages import BrokenDatabase
from deadweight.inventory.rpm.sqlite import headers
from deadweight.inventory.ruby import parse_specification
from deadweight.layer.content import Whole
from fuzz import seeds
from fuzz.targets import TARGETS


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_whole_and_cut_off(name: str) -> None:
    target = TARGETS[name]
    assert target.seeds()
    for seed in target.seeds():
        target.run(seed)
        for length in range(0, len(seed), max(1, len(seed) // 8)):
            target.run(seed[:length])


def test_seeds_are_the_same_each_time() -> None:
    for name, target in TARGETS.items():
        assert target.seeds() == target.seeds(), name


def test_searches_for_secrets_take_time_in_proportion() -> None:
    assert secrets_in(".env", b"\n" * (1 << 20)) == []
    assert secrets_in(".env", b"PASSWORD" * (1 << 17)) == []
    assert secrets_in(".env", b"A" * (1 << 20)) == []
    assert secrets_in(".pypirc", b" \n" * (1 << 19)) == []
    assert secrets_in(".env", b"\n\n  export DB_PASSWORD_1 = hunter22\n")


def test_a_string_without_end_in_a_gem_specification() -> None:
    assert "problem" in parse_specification('  s.name = "' + '\\"' * 400_000)


def test_rows_of_a_database_that_lie_on_each_other() -> None:
    """A page of cells that all point at one row is not taken for as many rows."""
    database = bytearray(seeds.rpm()[0])
    size = int.from_bytes(database[16:18], "big")
    page = memoryview(database)[size : 2 * size]
    assert page[0] in (5, 13)
    leaf = next(at for at in range(size, len(database), size) if database[at] == 13)
    (cell,) = struct.unpack_from(">H", database, leaf + 8)
    count = (cell - 8) // 2
    struct.pack_into(">H", database, leaf + 3, count)
    struct.pack_into(f">{count}H", database, leaf + 8, *[cell] * count)
    with pytest.raises(BrokenDatabase, match="rows larger than the file"):
        list(headers(Whole(bytes(database))))


def test_of_many_dynamic_segments_one_is_read() -> None:
    """Else a small file with thousands of them would take minutes."""
    (program,) = seeds.elf()
    dynamic = program[64 + 56 : 64 + 112]
    count = 4000
    table = program[64 : 64 + 3 * 56] + dynamic * count
    data = bytearray(program + bytes(-len(program) % 8) + table)
    struct.pack_into("<Q", data, 32, len(data) - len(table))
    struct.pack_into("<H", data, 56, 3 + count)
    found = elf.of(elf.COLLECTOR.collect("program", Whole(bytes(data))))
    assert found is not None
    assert (found.needed, found.runpath) == (("libc.so.6",), ("$ORIGIN",))
