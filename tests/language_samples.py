"""The inventory of root file systems that tests write down, or that real package managers made."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from deadweight.inventory.model import Inventory, Package
from deadweight.inventory.reader import Facts, Reader
from deadweight.inventory.take import collectors, take_inventory
from deadweight.layer.collect import Collector
from deadweight.layer.index import LayerIndex
from deadweight.layer.indexer import index_layer
from deadweight.oci.descriptor import Descriptor
from deadweight.oci.digest import Digest
from deadweight.oci.media_types import OCI_LAYER
from deadweight.tree.merge import merge

Files = Mapping[str, "bytes | str"]
"""Path -> content of a file, or as text ``-> TARGET`` of a symbolic and ``=> TARGET`` of a hard link."""


def layer_tar(files: Files) -> bytes:
    """A layer with `files`, in their order."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, content in files.items():
            info = tarfile.TarInfo(path)
            if isinstance(content, str) and content[:3] in ("-> ", "=> "):
                info.type = tarfile.SYMTYPE if content[0] == "-" else tarfile.LNKTYPE
                info.linkname = content[3:]
                content = b""
            data = content.encode() if isinstance(content, str) else content
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def directory_tar(directory: Path, prefix: str = "") -> bytes:
    """A layer with what is below `directory`."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for child in sorted(directory.iterdir()):
            archive.add(child, prefix + child.name)
    return buffer.getvalue()


def index(tar: bytes, readers: Sequence[Reader]) -> LayerIndex:
    """The index of an uncompressed layer, with the facts that `readers` need."""
    return index_with(tar, collectors(readers))


def index_with(tar: bytes, wanted: Sequence[Collector]) -> LayerIndex:
    """The index of an uncompressed layer, with the facts of `wanted`."""
    digest = Digest.of(tar)
    return index_layer(io.BytesIO(tar), Descriptor(OCI_LAYER, digest, len(tar)), digest, wanted)


def inventory_of(reader: Reader, *layers: bytes) -> Inventory:
    """What `reader` alone finds in an image of `layers`."""
    indexes = [index(tar, (reader,)) for tar in layers]
    tree = merge(indexes).tree
    return take_inventory(tree, Facts(tree, indexes), (reader,))


def found_in(reader: Reader, files: Files) -> dict[str, Package]:
    """The packages in an image of one layer by name; no problem, and no name twice."""
    inventory = inventory_of(reader, layer_tar(files))
    assert inventory.problems == ()
    packages = {package.name: package for package in inventory.packages}
    assert len(packages) == len(inventory.packages)
    return packages


def problems_in(reader: Reader, files: Files) -> tuple[str, ...]:
    """The problems in an image of one layer, which has no package."""
    inventory = inventory_of(reader, layer_tar(files))
    assert inventory.packages == ()
    return inventory.problems
