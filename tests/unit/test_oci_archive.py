from __future__ import annotations

import gzip
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from archive_samples import ANYWHERE, entry, layout_members, no_leftovers, root_digest, tar_of
from deadweight.errors import DigestMismatch, InvalidDocument, NotFound, TransportError
from deadweight.transport.names import open_destination, open_source
from services.images import SampleImage, SampleIndex, sample_image, sample_index, zstd_frame
from services.transfer import contents, descriptor_of, document_of, pulled, push

AMD = sample_image()
ARM = sample_image(architecture="arm64")


def archive(folder: Path, *images: SampleImage | SampleIndex, pack: Callable[[bytes], bytes] = bytes) -> str:
    """An archive whose images are called by their numbers."""
    members = layout_members(images, [entry(image, str(number)) for number, image in enumerate(images)])
    (folder / "image.tar").write_bytes(pack(tar_of(members)))
    return f"oci-archive:{folder / 'image.tar'}"


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstd_frame])
def test_all_of_an_image_is_read(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    image = sample_index(AMD, ARM)
    with open_source(archive(tmp_path, image, pack=pack), ANYWHERE) as source:
        assert pulled(source) == contents(image)


def test_a_name_or_a_digest_chooses(tmp_path: Path) -> None:
    location = archive(tmp_path, AMD, ARM)
    assert root_digest(f"{location}:1") == ARM.manifest.digest
    assert root_digest(f"{location}@{ARM.manifest.digest}") == ARM.manifest.digest


def test_an_archive_without_a_layout_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.tar").write_bytes(tar_of({"a": b""}))
    with pytest.raises(NotFound, match="is no OCI layout: it has no file 'oci-layout'"):
        root_digest(f"oci-archive:{tmp_path / 'x.tar'}")


def test_a_docker_archive_is_told_apart(tmp_path: Path) -> None:
    (tmp_path / "x.tar").write_bytes(tar_of({"manifest.json": b""}))
    with pytest.raises(NotFound, match="read it as docker-archive:"):
        root_digest(f"oci-archive:{tmp_path / 'x.tar'}")


def test_two_lists_of_images_in_one_archive_are_refused(tmp_path: Path) -> None:
    members = layout_members([AMD], [entry(AMD)])
    doubled = [*members.items(), ("index.json", b'{"schemaVersion":2,"manifests":[]}')]
    (tmp_path / "x.tar").write_bytes(tar_of([(tarfile.TarInfo(name), data) for name, data in doubled]))
    with pytest.raises(InvalidDocument, match=r"holds 'index\.json' more than once"):
        root_digest(f"oci-archive:{tmp_path / 'x.tar'}")


@pytest.mark.parametrize("image", [AMD, sample_index(AMD, ARM)])
def test_what_is_written_is_read(tmp_path: Path, image: SampleImage | SampleIndex) -> None:
    location = f"oci-archive:{tmp_path / 'new.tar'}:tag"
    with open_destination(location, ANYWHERE) as destination:
        destination.put_blob(iter([AMD.layers[0].data]), "", None)
        assert not (tmp_path / "new.tar").exists()
        push(destination, image)
    with open_source(location, ANYWHERE) as source:
        assert pulled(source) == contents(image)
    assert no_leftovers(tmp_path)


def test_an_old_archive_is_replaced_whole(tmp_path: Path) -> None:
    location = archive(tmp_path, AMD, ARM)
    with open_destination(location, ANYWHERE) as destination:
        push(destination, ARM)
    assert root_digest(location) == ARM.manifest.digest


def test_an_abandoned_write_leaves_the_old_archive(tmp_path: Path) -> None:
    location = archive(tmp_path, AMD)
    with open_destination(location, ANYWHERE) as destination:
        destination.put_blob(iter([ARM.layers[0].data]), "", None)
    assert root_digest(location) == AMD.manifest.digest
    assert [path.name for path in tmp_path.iterdir()] == ["image.tar"]


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        with open_destination(f"oci-archive:{tmp_path / name}:tag", ANYWHERE) as destination:
            push(destination, AMD)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_wrong_blob_leaves_no_trace(tmp_path: Path) -> None:
    with open_destination(f"oci-archive:{tmp_path / 'a'}:tag", ANYWHERE) as destination:
        push(destination, AMD)
    with open_destination(f"oci-archive:{tmp_path / 'b'}:tag", ANYWHERE) as destination:
        with pytest.raises(DigestMismatch):
            destination.put_blob(iter([b"other" * 1000]), "", descriptor_of(AMD.layers[0]))
        push(destination, AMD)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_manifest_without_its_layers_is_refused(tmp_path: Path) -> None:
    with open_destination(f"oci-archive:{tmp_path / 'a'}", ANYWHERE) as destination:
        destination.put_document(document_of(AMD.config))
        with pytest.raises(TransportError, match="which was not written"):
            destination.commit(document_of(AMD.manifest))
    assert not list(tmp_path.iterdir())
