"""An exported root file system, read again, against the merged tree that it was made of."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import assume, given, settings

from deadweight.copying import export_image
from deadweight.errors import InvalidLayer
from deadweight.image import open_image
from deadweight.indexing import index_image
from deadweight.layer.entry import Entry
from deadweight.tree.merge import Merged, merge
from image_samples import write_layout
from layer_stacks import Stack, index_of, stacks


def shown(merged: Merged) -> dict[str, Entry]:
    """Path -> all that its entry says, but for where it stands and how it is called there."""
    return {path: node.entry._replace(path="", start=0) for path, node in merged.tree.walk()}


def groups(merged: Merged) -> set[frozenset[str]]:
    """The names of each content that has several."""
    names: dict[tuple[int, int], set[str]] = {}
    for path, node in merged.tree.files.items():
        names.setdefault((node.layer, node.number), set()).add(path)
    return {frozenset(paths) for paths in names.values() if len(paths) > 1}


@settings(max_examples=100, deadline=None)
@given(stacks)
def test_it_is_the_merged_tree(stack: Stack) -> None:
    try:
        expected = merge([index_of(layer) for layer in stack])
    except InvalidLayer:
        assume(False)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        reference = write_layout(folder / "image", stack)
        archive = folder / "root.tar"
        result = export_image(reference, archive)
        first = archive.read_bytes()
        assert export_image(reference, archive) == result
        assert archive.read_bytes() == first
        with open_image(f"rootfs:{archive}") as image:
            merged = merge(index_image(image))
    assert shown(merged) == shown(expected)
    assert groups(merged) == groups(expected)
    assert result.entries == len(shown(expected))
    assert result.unpacked == sum(
        {(node.layer, node.number): node.entry.size for node in expected.tree.files.values()}.values()
    )
