"""Merging layers against a plain slow model of the OCI rules, and against umoci really unpacking them."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, event, example, given, settings

from conftest import require_program
from deadweight.accounting.ledger import open_ledger
from deadweight.errors import InvalidLayer
from deadweight.layer.entry import DIRECTORY, FILE, HARD_LINK, SYMLINK
from deadweight.tree.merge import LIVE, Merged, merge
from layer_stacks import Item, Stack, index_of, sha256, stacks, tar_of
from plain_model import CannotApply, apply


def shown(merged: Merged) -> dict[str, tuple[str, bytes | str]]:
    """Path -> type, and what matters of it."""
    result: dict[str, tuple[str, bytes | str]] = {}
    for path, node in merged.tree.walk():
        entry = node.entry
        matter: bytes | str = (
            entry.digest if entry.kind == FILE else entry.link if entry.kind == SYMLINK else ""
        )
        result[path] = entry.kind, matter
    return result


@settings(max_examples=400, deadline=None)
@given(stacks)
@example(
    [
        [Item("a", FILE, b"one"), Item("b/a", HARD_LINK, link="a")],
        [Item("b/a", HARD_LINK, link="a"), Item("a", FILE), Item(".wh.b", FILE)],
    ]
)
def test_merge_agrees_with_the_plain_model(stack: Stack) -> None:
    indexes = [index_of(layer) for layer in stack]
    try:
        expected = apply(stack)
    except CannotApply:
        with pytest.raises(InvalidLayer):
            merge(indexes)
        return
    merged = merge(indexes)
    assert shown(merged) == {
        path: (
            inode.kind,
            sha256(inode.content) if inode.kind == "f" else inode.link if inode.kind == "l" else "",
        )
        for path, inode in expected.files.items()
    }
    classes = {
        (layer, number): merged.fates[layer][number].kind if number in merged.fates[layer] else LIVE
        for layer, index in enumerate(indexes)
        for number, entry in enumerate(index.entries)
        if entry.kind == FILE
    }
    assert classes == expected.classes
    for kind in set(classes.values()):
        event(kind)


@settings(max_examples=200, deadline=None)
@given(stacks)
def test_classes_add_up_to_the_unpacked_bytes(stack: Stack) -> None:
    indexes = [index_of(layer) for layer in stack]
    try:
        merged = merge(indexes)
    except InvalidLayer:
        assume(False)
    ledger = open_ledger(merged, indexes, [True] * len(indexes))
    unpacked = sum(len(item.content) for layer in stack for item in layer)
    assert sum(ledger.classes().values()) == unpacked
    for position, index in enumerate(indexes):
        assert sum(ledger.layer_classes(position).values()) == index.unpacked
    rows = [*ledger.live(), *ledger.dead()]
    assert sum(row.entry.size for row in rows) == unpacked


@settings(max_examples=100, deadline=None)
@given(stacks)
def test_wire_shares_add_up_to_the_layer(stack: Stack) -> None:
    for layer in stack:
        index = index_of(layer)
        if index.entries:
            shares = index.wire_shares()
            assert sum(shares) == index.blob_size
            assert min(shares) >= 0


def write_layout(stack: Stack, folder: Path) -> None:
    """The stack as an OCI layout, written with nothing of ours."""
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)

    def put(data: bytes) -> tuple[str, int]:
        name = hashlib.sha256(data).hexdigest()
        (blobs / name).write_bytes(data)
        return f"sha256:{name}", len(data)

    layers = [put(tar_of(layer)) for layer in stack]
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": [digest for digest, _ in layers]},
    }
    config_digest, config_size = put(json.dumps(config).encode())
    manifest = {
        "schemaVersion": 2,
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": config_digest,
            "size": config_size,
        },
        "layers": [
            {"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": digest, "size": size}
            for digest, size in layers
        ],
    }
    digest, size = put(json.dumps(manifest).encode())
    descriptor = {
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "digest": digest,
        "size": size,
        "annotations": {"org.opencontainers.image.ref.name": "it"},
    }
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [descriptor]}))
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')


def unpacked_by_umoci(umoci: str, layout: Path, bundle: Path) -> dict[str, tuple[str, bytes | str]] | str:
    """What umoci makes of the layout, or its complaint."""
    rootless = ["--rootless"] if os.geteuid() else []
    command = [umoci, "unpack", *rootless, "--image", f"{layout}:it", str(bundle)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return done.stderr
    root = bundle / "rootfs"
    result: dict[str, tuple[str, bytes | str]] = {"": (DIRECTORY, "")}
    for folder, directories, files in os.walk(root):
        for name in [*directories, *files]:
            path = Path(folder, name)
            mode = path.lstat().st_mode
            relative = str(path.relative_to(root))
            if stat.S_ISLNK(mode):
                result[relative] = SYMLINK, str(path.readlink())
            elif stat.S_ISDIR(mode):
                result[relative] = DIRECTORY, ""
            else:
                result[relative] = FILE, hashlib.sha256(path.read_bytes()).digest()
    return result


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(stacks)
def test_merge_agrees_with_umoci(stack: Stack) -> None:
    umoci = require_program("umoci")
    try:
        merged = merge([index_of(layer) for layer in stack])
    except InvalidLayer:
        assume(False)
    folder = Path(tempfile.mkdtemp(prefix="deadweight-umoci-"))
    try:
        write_layout(stack, folder / "layout")
        found = unpacked_by_umoci(umoci, folder / "layout", folder / "bundle")
    finally:
        shutil.rmtree(folder)
    if isinstance(found, str):
        # Older umoci gives up where a file stands in the way of a directory, and where a hard link would replace itself.
        assert "not a directory" in found or "no such file or directory" in found or "file exists" in found, (
            found
        )
        event("umoci refuses")
        return
    assert shown(merged) == found


def test_a_deleted_directory_counts_with_all_that_is_in_it() -> None:
    stack = [
        [Item("d", DIRECTORY), Item("d/x", FILE, b"12345"), Item("d/e/y", FILE, b"123")],
        [Item(".wh.d", FILE)],
    ]
    indexes = [index_of(layer) for layer in stack]
    ledger = open_ledger(merge(indexes), indexes, [True, True])
    assert ledger.classes() == {"live": 0, "superseded": 0, "restated": 0, "deleted": 8}


def test_a_link_that_comes_later_leads_what_comes_after_it() -> None:
    """``s`` ends in nothing at first; then ``missing`` is a link, and the same path leads elsewhere."""
    items = [
        Item("s", "l", link="missing/../x"),
        Item("s/first", "f", b"1"),
        Item("missing", "l", link="y/z"),
        Item("y/z/keep", "f", b"2"),
        Item("s/second", "f", b"3"),
    ]
    together = merge([index_of(items)]).tree
    apart = merge([index_of(items[:4]), index_of(items[4:])]).tree
    for tree in (together, apart):
        assert {path for path, node in tree.walk() if node.is_file} == {"x/first", "y/z/keep", "y/x/second"}
