"""Filtering layers: what is left merges into just what was to stay, whatever the layers are and whatever stays."""

from __future__ import annotations

import io
import tarfile
from array import array
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import currently_in_test_context, event, given, settings
from hypothesis import strategies as st

from deadweight.errors import Unsupported
from deadweight.layer.cursor import Cursor
from deadweight.layer.entry import FILE, Entry
from deadweight.layer.index import LayerIndex, WireMap
from deadweight.layer.scanner import Scanner
from deadweight.oci.digest import Digest
from deadweight.passes.carried import CarriedContents
from deadweight.passes.filtering import plan_image
from deadweight.passes.rewrite import rewritten
from deadweight.passes.staying import everything
from deadweight.tree.merge import Merged, merge
from deadweight.tree.node import Node
from layer_stacks import Item, Stack, linked_stacks, sha256, stacks
from plain_model import CannotApply, apply

TYPES = {"f": tarfile.REGTYPE, "d": tarfile.DIRTYPE, "l": tarfile.SYMTYPE, "h": tarfile.LNKTYPE}
FORMATS = (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT)
LONG = "n" * 90
"""In the place of a short name, for paths that need extension headers."""


def applicable(stack: Stack) -> Stack:
    """`stack` without the items that no runtime could unpack."""
    result: list[list[Item]] = []
    for items in stack:
        result.append([])
        for item in items:
            result[-1].append(item)
            try:
                apply(result)
            except CannotApply:
                result[-1].pop()
    return result


ANY = st.one_of(stacks, linked_stacks).map(applicable)


def archive(items: Sequence[Item], position: int, *, long_names: bool) -> bytes:
    """A layer of which each entry has its own mode, owner, time and extended attributes, written in one of the formats."""
    kind = FORMATS[(position + len(items)) % 2]
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=kind) as tar:
        for number, item in enumerate(items):
            info = tarfile.TarInfo(item.path.replace("b", LONG) if long_names else item.path)
            info.type = TYPES[item.kind]
            info.linkname = item.link.replace("b", LONG) if long_names else item.link
            info.mode = 0o600 + number
            info.uid, info.gid, info.mtime = 1000 * position + number, number, 10 * position + number
            info.uname = "somebody"
            info.size = len(item.content)
            if number % 3 == 1:
                info.pax_headers = {"SCHILY.xattr.user.number": f"{position}.{number}"}
            tar.addfile(info, io.BytesIO(item.content))
    return buffer.getvalue()


def index_of(data: bytes) -> LayerIndex:
    scanner = Scanner(iter([memoryview(data)]), (), "layer")
    scanner.scan()
    digest = Digest.of(data)
    wire = WireMap(array("Q", [0, len(data)]), array("Q", [0, len(data)]))
    return LayerIndex(digest, digest, len(data), len(data), "uncompressed", scanner.entries, wire, {})


def shown(merged: Merged) -> dict[str, Entry]:
    """Path -> everything that is known of what is there."""
    return {
        path: node.entry._replace(path="", start=0, link=node.entry.link if node.entry.kind == "l" else "")
        for path, node in merged.tree.walk()
    }


def groups(merged: Merged, without: frozenset[str] = frozenset()) -> set[frozenset[str]]:
    """The paths that share a content."""
    found: dict[tuple[int, int], set[str]] = {}
    for node in merged.tree.leaves:
        if node.path not in without:
            found.setdefault((node.layer, node.number), set()).add(node.path)
    return {frozenset(names) for names in found.values()}


def with_parents(paths: frozenset[str]) -> set[str]:
    return {"", *("/".join(path.split("/")[:n]) for path in paths for n in range(1, path.count("/") + 2))}


def filtered(
    tars: Sequence[bytes],
    indexes: Sequence[LayerIndex],
    merged: Merged,
    kept: frozenset[str],
    replaced: Mapping[str, bytes],
    keep_layers: int = 0,
) -> list[bytes]:
    """The new layers; a kept base layer is left as it is."""

    def stays(node: Node) -> bool:
        return node.path in kept

    plan = plan_image("it", indexes, merged, stays, replaced, keep_layers)
    result = []
    with CarriedContents() as carried:
        for position, (tar, index, part) in enumerate(zip(tars, indexes, plan.layers, strict=True)):
            pieces = iter([tar[i : i + 700] for i in range(0, len(tar), 700)])
            stream = rewritten(Cursor(pieces, "layer"), position, index.entries, part, carried)
            data = b"".join(bytes(piece) for piece in stream)
            if position < keep_layers:
                assert part.unchanged(index.entries)
                data = tar
            elif part.unchanged(index.entries):
                seen("a layer stays")
                assert data.rstrip(b"\0") == tar.rstrip(b"\0")
            if part.carried:
                seen("a content is carried to a higher layer")
            result.append(data)
    return result


def seen(what: str) -> None:
    if currently_in_test_context():
        event(what)


def opened(stack: Stack, long_names: bool) -> tuple[list[bytes], list[LayerIndex], Merged]:
    tars = [archive(items, position, long_names=long_names) for position, items in enumerate(stack)]
    indexes = [index_of(tar) for tar in tars]
    return tars, indexes, merge(indexes)


@settings(max_examples=600, deadline=None)
@given(ANY, st.data(), st.booleans())
def test_the_result_shows_what_was_to_stay(stack: Stack, data: st.DataObject, long_names: bool) -> None:
    tars, indexes, merged = opened(stack, long_names)
    paths = [path for path, _ in merged.tree.walk() if path]
    kept = frozenset(data.draw(st.sets(st.sampled_from(paths)))) if paths else frozenset()
    files = sorted(path for path in kept if path in merged.tree.files)
    chosen = data.draw(st.sets(st.sampled_from(files))) if files else set()
    replaced = {path: b"new content of " + path.encode("utf-8", "surrogateescape") for path in chosen}
    layers = filtered(tars, indexes, merged, kept, replaced)
    result_indexes = [index_of(layer) for layer in layers]
    result = merge(result_indexes)

    staying = with_parents(kept)
    expected = {path: entry for path, entry in shown(merged).items() if path in staying}
    for path, content in replaced.items():
        expected[path] = expected[path]._replace(size=len(content), digest=sha256(content))
    assert shown(result) == expected

    shared = {names & kept - chosen for names in groups(merged)} - {frozenset()}
    assert groups(result, frozenset(chosen)) == shared
    assert all(not fates for fates in result.fates), "dead bytes are left"
    if not replaced:
        assert sum(i.unpacked for i in result_indexes) <= sum(i.unpacked for i in indexes)
    assert filtered(tars, indexes, merged, kept, replaced) == layers
    again = filtered(layers, result_indexes, result, kept, {})
    assert again == layers


@settings(max_examples=300, deadline=None)
@given(ANY, st.booleans())
def test_without_loss_the_tree_stays(stack: Stack, long_names: bool) -> None:
    tars, indexes, merged = opened(stack, long_names)
    every = frozenset(path for path, node in merged.tree.walk() if everything(node))
    layers = filtered(tars, indexes, merged, every, {})
    result_indexes = [index_of(layer) for layer in layers]
    result = merge(result_indexes)
    assert shown(result) == shown(merged)
    assert groups(result) == groups(merged)
    assert all(not fates for fates in result.fates)
    live = sum(
        entry.size
        for index, fates in zip(indexes, merged.fates, strict=True)
        for number, entry in enumerate(index.entries)
        if entry.kind == FILE and number not in fates and not entry.path.rpartition("/")[2].startswith(".wh.")
    )
    assert sum(index.unpacked for index in result_indexes) == live


@settings(max_examples=600, deadline=None)
@given(ANY, st.data())
def test_kept_base_layers_stay_with_all_that_is_visible_of_them(stack: Stack, data: st.DataObject) -> None:
    tars, indexes, merged = opened(stack, False)
    keep_layers = data.draw(st.integers(1, len(stack)))
    paths = [path for path, _ in merged.tree.walk() if path]
    kept = frozenset(data.draw(st.sets(st.sampled_from(paths)))) if paths else frozenset()
    try:
        layers = filtered(tars, indexes, merged, kept, {}, keep_layers)
    except Unsupported:
        # Of base layers whose hidden files have hard links in layers above.
        event("refused")
        assert any(item.kind == "h" for items in stack for item in items)
        return
    assert layers[:keep_layers] == tars[:keep_layers]
    result = merge([index_of(layer) for layer in layers])
    base = merge(indexes[:keep_layers]).tree
    of_base = {
        path for path, node in merged.tree.walk() if node.children is None and node.touched < keep_layers
    }
    staying = with_parents(kept | of_base)
    found, whole = shown(result), shown(merged)
    more = found.keys() & {path for path, node in base.walk() if node.children is not None}
    assert found == {path: entry for path, entry in whole.items() if path in staying | more}
    assert groups(result) == {names & (kept | of_base) for names in groups(merged)} - {frozenset()}


@pytest.mark.parametrize("keep_layers", [0, 1])
def test_a_whiteout_stays_where_it_hides_what_is_kept(keep_layers: int) -> None:
    stack = [
        [Item("a", "f", b"1"), Item("d/x", "f", b"2")],
        [Item(".wh.a", "f"), Item("d/.wh..wh..opq", "f"), Item("d/y", "f", b"3")],
    ]
    tars, indexes, merged = opened(stack, False)
    layers = filtered(tars, indexes, merged, frozenset({"d/y"}), {}, keep_layers)
    names = [[entry.path for entry in index_of(layer).entries] for layer in layers]
    if keep_layers:
        assert names == [["a", "d/x"], [".wh.a", "d/.wh..wh..opq", "d/y"]]
    else:
        assert names == [[], ["d/y"]]
