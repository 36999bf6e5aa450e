"""The local transports beside skopeo and umoci: what we write they read, what they write we read."""

from __future__ import annotations

import json
import subprocess
import tarfile
from pathlib import Path

import pytest

from archive_samples import ANYWHERE, copy, root_digest, tar_of
from conftest import require_program
from deadweight.image import open_image
from deadweight.transport.names import open_destination, open_source
from services.images import sample_image, sample_index, write_layout
from services.transfer import contents, pulled, push, skopeo

OCI = sample_image()
DOCKER = sample_image(family="docker", compression="uncompressed")
INDEX = sample_index(OCI, sample_image(architecture="arm64"))

KEEPING = ["oci:{}/x:tag", "oci-archive:{}/x:tag", "dir:{}/x"]
"""Transports that store an image as it is."""


@pytest.fixture(autouse=True)
def with_skopeo() -> None:
    require_program("skopeo")


@pytest.fixture
def layout(tmp_path: Path) -> str:
    return f"oci:{write_layout(tmp_path / 'layout', OCI)}:latest"


@pytest.mark.parametrize("place", KEEPING)
def test_skopeo_reads_what_we_write(tmp_path: Path, place: str) -> None:
    with open_destination(place.format(tmp_path), ANYWHERE) as destination:
        push(destination, OCI)
    skopeo("copy", "--preserve-digests", place.format(tmp_path), f"oci:{tmp_path}/theirs:latest")
    with open_source(f"oci:{tmp_path}/theirs:latest", ANYWHERE) as source:
        assert pulled(source) == contents(OCI)


@pytest.mark.parametrize("place", KEEPING)
def test_we_read_what_skopeo_writes(tmp_path: Path, layout: str, place: str) -> None:
    skopeo("copy", "--preserve-digests", layout, place.format(tmp_path))
    with open_source(place.format(tmp_path), ANYWHERE) as source:
        assert pulled(source) == contents(OCI)


@pytest.mark.parametrize("place", KEEPING)
def test_skopeo_reads_our_indexes(tmp_path: Path, place: str) -> None:
    with open_destination(place.format(tmp_path), ANYWHERE) as destination:
        push(destination, INDEX)
    skopeo("copy", "--all", "--preserve-digests", place.format(tmp_path), f"oci:{tmp_path}/theirs:latest")
    with open_source(f"oci:{tmp_path}/theirs:latest", ANYWHERE) as source:
        assert pulled(source) == contents(INDEX)


@pytest.mark.parametrize("place", KEEPING)
def test_we_read_skopeos_indexes(tmp_path: Path, place: str) -> None:
    write_layout(tmp_path / "layout", INDEX)
    skopeo("copy", "--all", "--preserve-digests", f"oci:{tmp_path}/layout:latest", place.format(tmp_path))
    with open_source(place.format(tmp_path), ANYWHERE) as source:
        assert pulled(source) == contents(INDEX)


def test_a_layout_is_shared_with_skopeo(tmp_path: Path, layout: str) -> None:
    other = sample_image(({"other": b"content"},))
    write_layout(tmp_path / "other", other)
    copy(layout, f"oci:{tmp_path}/shared:ours")
    skopeo("copy", "--preserve-digests", f"oci:{tmp_path}/other:latest", f"oci:{tmp_path}/shared:theirs")
    copy(layout, f"oci:{tmp_path}/shared:again")
    skopeo("copy", "--preserve-digests", f"oci:{tmp_path}/shared:again", f"dir:{tmp_path}/last")
    assert root_digest(f"oci:{tmp_path}/shared:ours") == OCI.manifest.digest
    assert root_digest(f"oci:{tmp_path}/shared:theirs") == other.manifest.digest
    assert root_digest(f"dir:{tmp_path}/last") == OCI.manifest.digest


def test_skopeo_reads_our_docker_archive(tmp_path: Path) -> None:
    location = f"docker-archive:{tmp_path}/ours.tar:some/name:1"
    with open_destination(location, ANYWHERE) as destination:
        push(destination, DOCKER)
    tags = json.loads(skopeo("list-tags", f"docker-archive:{tmp_path}/ours.tar"))
    assert tags == {"Tags": ["some/name:1"]}
    skopeo("copy", location, f"dir:{tmp_path}/theirs")
    with open_image(f"dir:{tmp_path}/theirs") as image:
        assert image.config_document.raw == DOCKER.config.data
        assert [layer.descriptor.digest for layer in image.layers] == list(DOCKER.diff_ids)
        for layer, stored in zip(image.layers, DOCKER.layers, strict=True):
            with image.open_layer(layer) as stream:
                assert stream.read() == stored.data


def test_we_read_skopeos_docker_archive(tmp_path: Path, layout: str) -> None:
    skopeo("copy", layout, f"docker-archive:{tmp_path}/theirs.tar:some/name:1")
    with open_image(f"docker-archive:{tmp_path}/theirs.tar:some/name:1") as image:
        assert [str(layer.diff_id) for layer in image.layers] == list(OCI.diff_ids)
        assert [layer.wire_size for layer in image.layers] == [None] * len(OCI.layers)
        assert image.config.execution.cmd == ("/usr/bin/tool",)


def test_the_same_layers_make_the_same_docker_archive(tmp_path: Path, layout: str) -> None:
    """Layers that skopeo has moved through a registry's compression come back as the same archive."""
    skopeo("copy", layout, f"docker-archive:{tmp_path}/theirs.tar:some/name:1")
    copy(f"docker-archive:{tmp_path}/theirs.tar", f"docker-archive:{tmp_path}/a.tar:name")
    skopeo("copy", f"docker-archive:{tmp_path}/a.tar:name", f"docker-archive:{tmp_path}/b.tar:name")
    copy(f"docker-archive:{tmp_path}/b.tar", f"docker-archive:{tmp_path}/c.tar:name")
    assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "c.tar").read_bytes()


def test_we_read_several_images_that_skopeo_put_into_one_archive(tmp_path: Path) -> None:
    """Other programs write such archives; here two of skopeo's are merged."""
    items = []
    members: dict[str, bytes] = {}
    for name in ("one", "two"):
        image = sample_image(({name: b"content"},))
        write_layout(tmp_path / name, image)
        skopeo("copy", f"oci:{tmp_path}/{name}:latest", f"docker-archive:{tmp_path}/{name}.tar:{name}:1")
        with tarfile.open(tmp_path / f"{name}.tar") as archive:
            for info in archive:
                file = archive.extractfile(info) if info.isreg() else None
                if file:
                    members[info.name] = file.read()
        items += json.loads(members.pop("manifest.json"))
    members["manifest.json"] = json.dumps(items).encode()
    (tmp_path / "both.tar").write_bytes(tar_of(members))
    for name in ("one", "two"):
        with open_image(f"docker-archive:{tmp_path}/both.tar:{name}:1") as image_read:
            assert len(image_read.layers) == 1


def test_umoci_unpacks_our_layout(tmp_path: Path, layout: str) -> None:
    umoci = require_program("umoci")
    copy(layout, f"oci:{tmp_path}/ours:tag")
    assert _output(umoci, "list", "--layout", f"{tmp_path}/ours") == "tag"
    _output(umoci, "unpack", "--rootless", "--image", f"{tmp_path}/ours:tag", f"{tmp_path}/bundle")
    assert (tmp_path / "bundle/rootfs/etc/os-release").read_bytes() == b"ID=tests\nVERSION_ID=2\n"
    assert not (tmp_path / "bundle/rootfs/var/log/build.log").exists()


def test_we_read_what_umoci_adds_to_our_layout(tmp_path: Path, layout: str) -> None:
    umoci = require_program("umoci")
    copy(layout, f"oci:{tmp_path}/ours:tag")
    (tmp_path / "new").write_bytes(b"content")
    _output(umoci, "insert", "--rootless", "--image", f"{tmp_path}/ours:tag", f"{tmp_path}/new", "/new")
    with open_image(f"oci:{tmp_path}/ours:tag") as image:
        assert len(image.layers) == len(OCI.layers) + 1
        assert image.layers[0].descriptor.digest == OCI.layers[0].digest


def _output(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
