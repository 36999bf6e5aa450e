"""Peers' images through the local transports (MANIFEST.md beside them says what each must show)."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest

from conftest import require_program
from deadweight.errors import InvalidDocument, InvalidReference, NotFound, Unsupported
from deadweight.image import open_image
from deadweight.layer.decompress import decoded
from deadweight.layer.indexer import index_layer
from deadweight.oci.descriptor import Platform
from deadweight.transport.base import Access
from deadweight.transport.names import parse_reference

pytestmark = pytest.mark.fixtures

ARM = Platform("linux", "arm64")

IMAGES = [
    # File, transport, image ID or digest (first digits), layers, compressed or not.
    ("dive/test-docker-image.tar", "docker-archive", "75ae28b8ebf8", 14, False),
    ("dive/test-oci-gzip-image.tar", "oci-archive", "7d255e9e3d21", 1, True),
    ("dive/test-oci-zstd-image.tar", "oci-archive", "f5e3515f39a1", 1, True),
    ("dive/test-oci-estargz-image.tar", "oci-archive", "2e75eb783d1a", 1, True),
    ("dive/test-oci-uncompressed-image.tar", "oci-archive", "5cec6b4ce61c", 1, False),
    ("ggcr/whiteout_image.tar", "docker-archive", "decb630649c3", 3, False),
    ("ggcr/whiteout_dir.tar", "docker-archive", "92f1e3d53acd", 4, True),
    ("ggcr/overwritten_file.tar", "docker-archive", "68f6eb746cdb", 3, False),
    ("ggcr/hello-world-v25.tar", "docker-archive", "ee301c921b8a", 1, False),
    ("ggcr/test_bundle.tar:test_image_1", "docker-archive", "6e0b05049ed9", 1, False),
    ("ggcr/test_bundle.tar:test_image_2", "docker-archive", "930705ce23e3", 1, False),
    ("ggcr/test_bundle.tar:@0", "docker-archive", "930705ce23e3", 1, False),
    ("ggcr/test_link.tar:bazel/v1/tarball:test_image_1", "docker-archive", "6e0b05049ed9", 1, False),
    ("ggcr/test_link.tar:bazel/v1/tarball:test_image_3", "docker-archive", "d4c9adacde69", 2, False),
    ("trivy/alpine-310.tar.gz", "docker-archive", "af341ccd2df8", 1, False),
]
BROKEN = [
    ("ggcr/no_manifest.tar", "docker-archive", Unsupported, r"has no manifest\.json"),
    ("ggcr/null_manifest.tar", "docker-archive", InvalidDocument, "names no image"),
    ("ggcr/test_bundle.tar", "docker-archive", InvalidReference, "add one of :test_image_2, :test_image_1"),
    ("ggcr/test_link.tar", "docker-archive", InvalidReference, "holds 2 images"),
    ("ggcr/test_link.tar:gone", "docker-archive", NotFound, "it holds :bazel/v1/tarball:test_image_1"),
    ("trivy/test_bad_index_json.oci", "oci", InvalidDocument, r"index\.json: is not valid JSON"),
]


@pytest.mark.parametrize(("name", "transport", "digest", "layers", "compressed"), IMAGES)
def test_images(
    fixtures: Path, name: str, transport: str, digest: str, layers: int, compressed: bool
) -> None:
    text = f"{fixtures}/{name}"
    assert parse_reference(text, Access()) == (transport, text)
    with open_image(f"{transport}:{text}") as image:
        assert image.digest.hex.startswith(digest)
        assert len(image.layers) == layers
        assert all((layer.wire_size is not None) is compressed for layer in image.layers)
        for layer in image.layers:
            with image.open_layer(layer) as stream:
                assert hashlib.file_digest(stream, "sha256").hexdigest() == layer.descriptor.digest.hex  # type: ignore[arg-type]
            inflated = hashlib.sha256()
            with image.open_layer(layer) as stream:
                for piece in decoded(stream, "layer"):
                    inflated.update(piece)
            assert inflated.hexdigest() == layer.diff_id.hex


@pytest.mark.parametrize(("name", "transport", "kind", "problem"), BROKEN)
def test_broken_images(
    fixtures: Path, name: str, transport: str, kind: type[Exception], problem: str
) -> None:
    for text in (f"{fixtures}/{name}", f"{transport}:{fixtures}/{name}"):
        with pytest.raises(kind, match=problem), open_image(text):
            pass


def test_the_four_encodings_hold_the_same(fixtures: Path) -> None:
    readmes = set()
    for encoding in ("gzip", "zstd", "estargz", "uncompressed"):
        with open_image(f"{fixtures}/dive/test-oci-{encoding}-image.tar", ARM) as image:
            (layer,) = image.layers
            with image.open_layer(layer) as stream:
                index = index_layer(stream, layer.descriptor, layer.diff_id)
        readmes |= {
            (entry.path, entry.size, entry.digest) for entry in index.entries if "README" in entry.path
        }
    assert [(path, size) for path, size, _ in readmes] == [("README.md", 11189)]


def test_a_real_root_file_system(fixtures: Path, tmp_path: Path) -> None:
    archive = fixtures / "alpine/alpine-minirootfs-3.20.3-x86_64.tar.gz"
    with open_image(str(archive)) as image:
        assert image.reference == f"rootfs:{archive}"
        (layer,) = image.layers
        assert layer.wire_size == archive.stat().st_size
        with image.open_layer(layer) as stream:
            packed = index_layer(stream, layer.descriptor, layer.diff_id)
    assert len(packed.entries) == 518
    assert packed.unpacked == 7792915

    # Unpacked by GNU tar and packed by us, it is the same tree.
    command = [require_program("tar"), "xpf", str(archive), "-C", str(tmp_path), "--no-same-owner"]
    subprocess.run(command, check=True)
    with open_image(str(tmp_path)) as image:
        (layer,) = image.layers
        with image.open_layer(layer) as stream:
            again = index_layer(stream, layer.descriptor, layer.diff_id)
    links = {"h"}
    assert {(entry.path, entry.mode, entry.mtime) for entry in again.entries if entry.path} == {
        (entry.path, entry.mode, entry.mtime) for entry in packed.entries if entry.path
    }
    assert {(entry.path, entry.digest) for entry in again.entries if entry.kind not in links} == {
        (entry.path, entry.digest) for entry in packed.entries if entry.kind not in links
    }


def test_all_of_a_compressed_archive(fixtures: Path) -> None:
    with open_image(f"{fixtures}/trivy/alpine-310.tar.gz") as image:
        (layer,) = image.layers
        with image.open_layer(layer) as stream:
            index = index_layer(stream, layer.descriptor, layer.diff_id)
    assert (len(index.entries), index.unpacked) == (482, 5552525)
