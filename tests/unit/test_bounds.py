"""Bounds on what one layer and one image may make of little: names, attributes, facts, directories, entries, bytes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from deadweight import indexing
from deadweight.accounting.scripts import SCRIPTS
from deadweight.errors import LimitExceeded
from deadweight.image import open_image
from deadweight.indexing import index_image
from deadweight.inventory.take import collectors
from deadweight.layer import scanner
from deadweight.layer.collect import START, WholeOrNothing
from deadweight.layer.content import Kept, Space
from deadweight.layer.scanner import Scanner
from deadweight.tree import merge as merging
from deadweight.tree.merge import merge
from hostile_images import END, Layer, entry, layout, pax
from layer_stacks import Item, index_of


@pytest.mark.parametrize(
    "raw",
    [
        entry(b"L", b"d/" * 400 + b"\0", kind=b"L") + entry(b"x"),
        entry(b"a", kind=b"2", link=b"t" * 90),
        pax(SCHILY__xattr__user__a="v" * 300) + entry(b"a"),
        entry(b"lib/apk/db/installed", b"P:a\nF:b\n" + b"R:c\n" * 40),
    ],
)
def test_text_of_a_layer(raw: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    def scan() -> None:
        Scanner(iter([memoryview(raw * 10 + END)]), collectors(), "layer x").scan()

    scan()
    monkeypatch.setattr(scanner, "MAX_TEXT", 800)
    with pytest.raises(LimitExceeded, match="layer x: has more than 800 characters"):
        scan()


def test_directories_without_entries(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = index_of([Item("a/b/c/d", "f"), Item("a/b/x/y", "f")])
    monkeypatch.setattr(merging, "MAX_IMPLICIT", 4)
    assert merge([layer, layer]).tree.find("a/b/x/y") is not None
    monkeypatch.setattr(merging, "MAX_IMPLICIT", 3)
    with pytest.raises(LimitExceeded, match="needs more than 3 directories"):
        merge([layer])


def test_paths_that_grow_behind_links(monkeypatch: pytest.MonkeyPatch) -> None:
    items = [
        Item("d/d/d", "d"),
        Item("l", "l", link="d/d/d"),
        Item("l/e/e", "d"),
        Item("m", "l", link="l/e/e"),
    ]
    layer = index_of([*items, *(Item(f"m/{number}", "f") for number in range(9))])
    monkeypatch.setattr(merging, "MAX_PATHS", 200)
    assert merge([layer]).tree.find("d/d/d/e/e/8") is not None
    monkeypatch.setattr(merging, "MAX_PATHS", 100)
    with pytest.raises(LimitExceeded, match="more than 100 characters of paths"):
        merge([layer])


def test_layers_that_are_too_much_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    layers = [Layer(entry(b"%d" % number, b"x" * 5000) + END) for number in range(4)]
    with open_image(layout(tmp_path / "image", *layers)) as image:
        assert len(index_image(image)) == 4
        monkeypatch.setattr(indexing, "MAX_ENTRIES", 2)
        with pytest.raises(LimitExceeded, match="more than 2 entries in 3 layers"):
            index_image(image)
        monkeypatch.setattr(indexing, "MAX_ENTRIES", 4)
        monkeypatch.setattr(indexing, "MAX_UNCOMPRESSED", 15_000)
        monkeypatch.setattr(indexing, "MAX_RATIO", 0)
        with pytest.raises(LimitExceeded, match="expands to more than 15000 bytes: it may be a bomb"):
            index_image(image)


@pytest.mark.parametrize(
    "path",
    [
        "var/lib/dpkg/status",
        "lib/apk/db/installed",
        "var/lib/rpm/rpmdb.sqlite",
        "app/node_modules/a/package.json",
        "gems/specifications/a-1.gemspec",
        "app/start.sh",
    ],
)
def test_of_what_is_too_large_to_be_read_only_the_start_is_kept(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = []

    def keeping(size: int, parts: Iterable[range], space: Space) -> Kept:
        ranges = list(parts)
        kept.append(sum(map(len, ranges)))
        return Kept(size, ranges, space)

    monkeypatch.setattr(scanner, "Kept", keeping)
    every = (*collectors(), SCRIPTS)
    for collector in every:
        if isinstance(collector, WholeOrNothing):
            monkeypatch.setattr(type(collector), "limit", 100_000)
    raw = memoryview(entry(path.encode(), b" " * 100_001) + END)
    found = Scanner(iter([raw[:1000], raw[1000:]]), every, "layer x")
    found.scan()
    assert kept == [START]
    assert len(str(found.facts)) < START  # no fact has it either
