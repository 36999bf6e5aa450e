"""`deadweight copy IMAGE rootfs:FILE`: the merged file system as an archive, against umoci's unpacking."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import require_program
from deadweight.copying import export_image
from deadweight.errors import DeadweightError, NotFound, Unsupported, UsageError
from deadweight.layer.compress import Compression
from deadweight.layer.entry import DIRECTORY, HARD_LINK, SYMLINK
from deadweight.oci import media_types
from image_samples import write_layout
from layer_stacks import Item
from services.images import sample_image
from services.images import write_layout as write_sample

LAYERS = [
    [
        Item("etc", DIRECTORY),
        Item("etc/passwd", "f", b"root:x:0:0::/:/bin/sh\n"),
        Item("usr/bin/tool", "f", b"\x7fELF" + bytes(3_000_000)),
        Item("usr/bin/alias", HARD_LINK, link="usr/bin/tool"),
        Item("bin", SYMLINK, link="usr/bin"),
        Item("gone", "f", b"gone"),
    ],
    [Item(".wh.gone", "f"), Item("bin/more", "f", b"more"), Item("etc/passwd", "f", b"changed\n")],
]


def listed(folder: Path) -> dict[str, tuple[int, int, str]]:
    """Path -> mode, number of names, and content or target, of everything below `folder`."""
    found = {}
    for top, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(top, name)
            status = path.lstat()
            matter = str(path.readlink()) if path.is_symlink() else ""
            if stat.S_ISREG(status.st_mode):
                matter = hashlib.sha256(path.read_bytes()).hexdigest()
            names = 0 if stat.S_ISDIR(status.st_mode) else status.st_nlink
            found[str(path.relative_to(folder))] = status.st_mode, names, matter
    return found


@pytest.mark.parametrize("compression", ["uncompressed", "gzip", "zstd"])
def test_it_unpacks_to_what_umoci_makes_of_the_image(tmp_path: Path, compression: str) -> None:
    umoci = require_program("umoci")
    write_layout(tmp_path / "image", LAYERS)
    subprocess.run(
        ["skopeo", "--insecure-policy", "copy", "-q", f"oci:{tmp_path / 'image'}", f"oci:{tmp_path / 'i'}:x"],
        check=True,
    )
    unpack = [umoci, "unpack", "--rootless", "--image", f"{tmp_path / 'i'}:x", str(tmp_path / "bundle")]
    subprocess.run(unpack, check=True, capture_output=True)
    archive = tmp_path / "root.tar"
    export_image(f"oci:{tmp_path / 'image'}", archive, compression=Compression(compression))
    (tmp_path / "root").mkdir()
    taken = ["tar", "--extract", "--preserve-permissions", "--no-same-owner", "-C", str(tmp_path / "root")]
    packed = {"uncompressed": [], "gzip": ["--gzip"], "zstd": ["--zstd"]}[compression]
    subprocess.run([*taken, *packed, "--file", str(archive)], check=True)
    assert listed(tmp_path / "root") == listed(tmp_path / "bundle" / "rootfs")


def test_a_folder_is_no_place_for_owners(tmp_path: Path) -> None:
    with pytest.raises(Unsupported, match=r"is a folder, .*; write an archive, .*root\.tar"):
        export_image(write_layout(tmp_path / "image", LAYERS), tmp_path)


def test_an_archive_is_not_written_over_itself(tmp_path: Path) -> None:
    archive = tmp_path / "root.tar"
    export_image(write_layout(tmp_path / "image", LAYERS), archive)
    before = archive.read_bytes()
    with pytest.raises(UsageError, match="is the image to be copied"):
        export_image(str(archive), archive)
    assert archive.read_bytes() == before


def damaged(folder: Path) -> str:
    """An image of which a layer is not what its digest says."""
    image = sample_image()
    place = write_sample(folder, image)
    blob = place / "blobs" / image.layers[0].digest.replace(":", "/")
    blob.write_bytes(blob.read_bytes()[:-1] + b"\xff")
    return f"oci:{place}"


def without_foreign_layer(folder: Path) -> str:
    """An image with a layer that no registry holds, nor this folder."""
    image = sample_image()
    place = write_sample(folder, image)
    blobs = place / "blobs" / "sha256"
    manifest = json.loads((place / "blobs" / image.manifest.digest.replace(":", "/")).read_bytes())
    manifest["layers"][0]["mediaType"] = media_types.OCI_FOREIGN_LAYER + "+gzip"
    raw = json.dumps(manifest).encode()
    digest = hashlib.sha256(raw).hexdigest()
    (blobs / digest).write_bytes(raw)
    index = json.loads((place / "index.json").read_bytes())
    index["manifests"][0] |= {"digest": f"sha256:{digest}", "size": len(raw)}
    (place / "index.json").write_text(json.dumps(index))
    (place / "blobs" / image.layers[0].digest.replace(":", "/")).unlink()
    return f"oci:{place}"


@pytest.mark.parametrize(
    ("make", "problem", "words"),
    [
        (damaged, DeadweightError, "layer sha256:"),
        (without_foreign_layer, NotFound, "its foreign layer sha256:"),
    ],
)
def test_what_cannot_be_merged_whole_leaves_what_was_there(
    tmp_path: Path, make: Callable[[Path], str], problem: type[DeadweightError], words: str
) -> None:
    reference = make(tmp_path / "image")
    archive = tmp_path / "out" / "root.tar"
    archive.parent.mkdir()
    archive.write_bytes(b"old")
    with pytest.raises(problem, match=words):
        export_image(reference, archive)
    assert archive.read_bytes() == b"old"
    assert [path.name for path in archive.parent.iterdir()] == ["root.tar"]
