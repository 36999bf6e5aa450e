from __future__ import annotations

from pathlib import Path

import pytest

from archive_samples import ANYWHERE, no_leftovers, root_digest, write_members
from deadweight.errors import InvalidDocument, InvalidReference, NotFound, TransportError
from deadweight.transport.names import open_destination, open_source
from services.images import SampleImage, SampleIndex, sample_image, sample_index
from services.transfer import contents, document_of, pulled, push

AMD = sample_image()
ARM = sample_image(architecture="arm64")
DOCKER = sample_image(family="docker")


def members(image: SampleImage | SampleIndex) -> dict[str, bytes]:
    """What skopeo writes for `image`."""
    images = image.images if isinstance(image, SampleIndex) else (image,)
    found = {blob.digest[7:]: blob.data for one in images for blob in (*one.layers, one.config)}
    if isinstance(image, SampleIndex):
        found |= {f"{one.manifest.digest[7:]}.manifest.json": one.manifest.data for one in images}
    top = image.index if isinstance(image, SampleIndex) else image.manifest
    return found | {"manifest.json": top.data, "version": b"Directory Transport Version: 1.1\n"}


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("image", [AMD, DOCKER, sample_index(AMD, ARM)])
def test_all_of_an_image_is_read(tmp_path: Path, image: SampleImage | SampleIndex) -> None:
    with open_source(f"dir:{write_members(tmp_path, members(image))}", ANYWHERE) as source:
        assert pulled(source) == contents(image)
        assert source.root().descriptor.media_type


@pytest.mark.parametrize("image", [AMD, sample_index(AMD, ARM)])
@pytest.mark.parametrize("exists", [False, True])
def test_what_is_written_is_what_skopeo_writes(
    tmp_path: Path, image: SampleImage | SampleIndex, exists: bool
) -> None:
    target = tmp_path / "new"
    if exists:
        target.mkdir()
    with open_destination(f"dir:{target}", ANYWHERE) as destination:
        push(destination, image)
    assert files(target) == members(image)
    assert no_leftovers(tmp_path)


def test_an_image_is_replaced_with_its_blobs_and_signatures(tmp_path: Path) -> None:
    write_members(tmp_path, members(sample_index(AMD, ARM)) | {"signature-1": b"old"})
    with open_destination(f"dir:{tmp_path}", ANYWHERE) as destination:
        push(destination, DOCKER)
    assert files(tmp_path) == members(DOCKER)


def test_an_abandoned_write_leaves_the_old_image(tmp_path: Path) -> None:
    write_members(tmp_path, members(AMD))
    with open_destination(f"dir:{tmp_path}", ANYWHERE) as destination:
        destination.put_blob(iter([b"new"]), "", None)
    assert files(tmp_path) == members(AMD)


def test_a_manifest_without_its_layers_is_refused(tmp_path: Path) -> None:
    with open_destination(f"dir:{tmp_path / 'new'}", ANYWHERE) as destination:
        destination.put_document(document_of(AMD.config))
        with pytest.raises(TransportError, match="which was not written"):
            destination.commit(document_of(AMD.manifest))
    assert not list(tmp_path.iterdir())


def test_a_folder_of_something_else_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(InvalidReference, match="is a folder of something else"):
        open_destination(f"dir:{tmp_path}", ANYWHERE)


def test_a_file_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(TransportError, match="not a directory"):
        open_destination(f"dir:{tmp_path / 'file'}", ANYWHERE)


def test_a_folder_without_a_manifest_holds_no_image(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"holds no image: it has no manifest\.json"):
        root_digest(f"dir:{tmp_path}")


@pytest.mark.parametrize("data", [b"null", b"{}", b'{"schemaVersion":2}'])
def test_broken_manifests(tmp_path: Path, data: bytes) -> None:
    write_members(tmp_path, members(AMD) | {"manifest.json": data})
    with pytest.raises(InvalidDocument):
        root_digest(f"dir:{tmp_path}")
