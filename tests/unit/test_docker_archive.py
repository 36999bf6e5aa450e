from __future__ import annotations

import gzip
import json
import tarfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from archive_samples import (
    ANYWHERE,
    copy,
    docker_members,
    entry,
    layout_members,
    link,
    no_leftovers,
    root_digest,
    tar_of,
)
from deadweight.errors import (
    DeadweightError,
    DigestMismatch,
    InvalidDocument,
    InvalidReference,
    LimitExceeded,
    NotFound,
    TransportError,
    Unsupported,
)
from deadweight.image import open_image
from deadweight.oci import media_types
from deadweight.oci.digest import Digest
from deadweight.transport.docker_archive import familiar, read_archive
from deadweight.transport.names import open_destination
from services.images import Blob, sample_image, sample_index, with_manifest
from services.transfer import document_of, push

PLAIN = sample_image(compression="uncompressed", family="docker")
OTHER = sample_image(({"other": b"content"},), compression="uncompressed", family="docker")
GZIP = sample_image()


def archive(folder: Path, members: Mapping[str, bytes]) -> str:
    (folder / "image.tar").write_bytes(tar_of(members))
    return f"docker-archive:{folder / 'image.tar'}"


def changed(members: dict[str, bytes], **fields: Any) -> dict[str, bytes]:
    """`members` with other fields in manifest.json's only image."""
    (item,) = json.loads(members["manifest.json"])
    return members | {"manifest.json": json.dumps([item | fields]).encode()}


def test_a_classic_archive_shows_its_layers_and_no_wire_size(tmp_path: Path) -> None:
    with open_image(archive(tmp_path, docker_members({"a:1": PLAIN}))) as image:
        assert image.digest == PLAIN.config.digest
        assert [str(layer.diff_id) for layer in image.layers] == list(PLAIN.diff_ids)
        assert [layer.wire_size for layer in image.layers] == [None] * 3
        assert {layer.descriptor.media_type for layer in image.layers} == {media_types.DOCKER_LAYER}
        assert image.layers[0].instruction == "COPY layer-1 /"
        for layer, stored in zip(image.layers, PLAIN.layers, strict=True):
            with image.open_layer(layer) as stream:
                assert stream.read() == stored.data


def test_compressed_layers_are_described_as_they_are(tmp_path: Path) -> None:
    members = docker_members({"a:1": GZIP}, compressed=True)
    with open_image(archive(tmp_path, members)) as image:
        assert not image.source.traits.original_manifest
        assert [layer.descriptor.digest for layer in image.layers] == [blob.digest for blob in GZIP.layers]
        assert [layer.wire_size for layer in image.layers] == [len(blob.data) for blob in GZIP.layers]
        assert image.layers[0].descriptor.media_type == media_types.DOCKER_LAYER + ".gzip"


def test_linked_layers_are_followed(tmp_path: Path) -> None:
    members = docker_members({"a:1": PLAIN})
    second, third = json.loads(members["manifest.json"])[0]["Layers"][1:]
    parts = [(tarfile.TarInfo(name), data) for name, data in members.items() if name not in (second, third)]
    moved = tarfile.TarInfo("shared/layer.tar")
    parts += [(moved, members[second]), link(second, "../shared/layer.tar")]
    parts += [(tarfile.TarInfo("third"), members[third]), link(third, "third", hard=True)]
    (tmp_path / "x.tar").write_bytes(tar_of(parts))
    with open_image(f"docker-archive:{tmp_path / 'x.tar'}") as image:
        for layer, stored in zip(image.layers, PLAIN.layers, strict=True):
            with image.open_layer(layer) as stream:
                assert stream.read() == stored.data


def test_the_same_layer_twice(tmp_path: Path) -> None:
    twice = sample_image(({"a": b""}, {"a": b""}), compression="uncompressed", family="docker")
    with open_image(archive(tmp_path, docker_members({"a:1": twice}))) as image:
        assert [layer.diff_id for layer in image.layers] == list(twice.diff_ids)


def test_the_manifest_of_a_layout_in_the_archive_is_the_images(tmp_path: Path) -> None:
    config = f"blobs/{GZIP.config.digest.replace(':', '/')}"
    layers = [f"blobs/{layer.digest.replace(':', '/')}" for layer in GZIP.layers]
    index = sample_index(sample_image(architecture="arm64"), GZIP)
    members = layout_members([GZIP], [index.index.descriptor()])
    members[f"blobs/{index.index.digest.replace(':', '/')}"] = index.index.data
    members["manifest.json"] = json.dumps(
        [{"Config": config, "RepoTags": ["a:1"], "Layers": layers}]
    ).encode()
    with open_image(archive(tmp_path, members) + ":a:1") as image:
        assert image.source.traits.original_manifest
        assert image.digest == GZIP.manifest.digest
        assert [layer.wire_size for layer in image.layers] == [len(blob.data) for blob in GZIP.layers]


def test_a_manifest_that_an_engine_made_for_saving_is_not_the_images(tmp_path: Path) -> None:
    saved = sample_image(compression="uncompressed")
    members = layout_members([saved], [entry(saved)]) | docker_members({"a:1": saved})
    with open_image(archive(tmp_path, members)) as image:
        assert not image.source.traits.original_manifest
        assert image.digest == saved.config.digest


def test_a_layout_of_other_images_in_the_archive_does_not_matter(tmp_path: Path) -> None:
    members = layout_members([GZIP], [entry(GZIP)]) | docker_members({"a:1": OTHER})
    with open_image(archive(tmp_path, members)) as image:
        assert image.digest == OTHER.config.digest


@pytest.mark.parametrize(
    "name",
    ["@1", "other", "other:latest", "docker.io/library/other", "library/other:latest", "docker.io/other"],
)
def test_a_name_or_a_position_chooses(tmp_path: Path, name: str) -> None:
    location = archive(tmp_path, docker_members({"a:1": PLAIN, "other:latest": OTHER}))
    with open_image(f"{location}:{name}") as image:
        assert image.digest == OTHER.config.digest
        assert image.reference == f"{location}:{name}"


def test_several_images_are_listed(tmp_path: Path) -> None:
    location = archive(tmp_path, docker_members({"a:1": PLAIN, "": OTHER}))
    with pytest.raises(InvalidReference, match=r"holds 2 images; add one of :a:1, :@1$"):
        root_digest(location)


@pytest.mark.parametrize("name", ["b", "a:2", "@2", "@x", "@", "@٣", "@-1"])
def test_an_unknown_choice_is_answered_with_the_known(tmp_path: Path, name: str) -> None:
    location = archive(tmp_path, docker_members({"a:1": PLAIN, "": OTHER}))
    with pytest.raises(NotFound, match="is not in the archive; it holds :a:1, :@1"):
        root_digest(f"{location}:{name}")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a", "a:latest"),
        ("docker.io/library/a:1", "a:1"),
        ("index.docker.io/x/a", "x/a:latest"),
        ("localhost:5000/a", "localhost:5000/a:latest"),
    ],
)
def test_names_are_compared_as_docker_shows_them(name: str, shown: str) -> None:
    assert familiar(name) == shown


@pytest.mark.parametrize(
    ("manifest", "problem"),
    [
        (b"null", "names no image"),
        (b" [ ] ", "names no image"),
        (b"{}", "not an array"),
        (b"[1]", "must be an array of objects"),
        (b"[{}]", "image 0: names no config"),
        (b'[{"Config": 1}]', "'Config' must be a string"),
        (b'[{"Config": "x", "Layers": [1]}]', "'Layers' must be an array of strings"),
        (b"[", "is not valid JSON"),
        (b'[{"Config": "a", "Config": "b"}]', "stands twice"),
        (b'[{"Config": "a", "Layers": [%s]}]' % b",".join([b'"x"'] * 2000), "names 2000 layers"),
        (b"[%s]" % b",".join([b"{}"] * 5000), "names 5000 images"),
    ],
)
def test_broken_manifests(tmp_path: Path, manifest: bytes, problem: str) -> None:
    with pytest.raises(InvalidDocument, match=problem):
        root_digest(archive(tmp_path, docker_members({"a:1": PLAIN}) | {"manifest.json": manifest}))


def test_an_archive_from_before_manifests(tmp_path: Path) -> None:
    with pytest.raises(Unsupported, match=r"before Docker 1\.10.*load it into an engine"):
        root_digest(archive(tmp_path, {"repositories": b"{}", "x/layer.tar": b""}))


def test_an_oci_archive_is_told_apart(tmp_path: Path) -> None:
    with pytest.raises(InvalidDocument, match="read it as oci-archive:"):
        root_digest(archive(tmp_path, layout_members([GZIP], [entry(GZIP)])))


def test_any_other_archive_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidDocument, match="is no docker archive"):
        root_digest(archive(tmp_path, {"etc/passwd": b""}))


@pytest.mark.parametrize("field", ["Config", "Layers"])
def test_missing_members_are_named(tmp_path: Path, field: str) -> None:
    missing: Any = "gone" if field == "Config" else ["gone"] * 3
    with pytest.raises(NotFound, match="holds no 'gone'"):
        root_digest(archive(tmp_path, changed(docker_members({"a:1": PLAIN}), **{field: missing})))


def test_as_many_layers_as_diff_ids(tmp_path: Path) -> None:
    members = docker_members({"a:1": PLAIN})
    layers = json.loads(members["manifest.json"])[0]["Layers"]
    with pytest.raises(InvalidDocument, match="names 2 layers, but the config has 3 diff IDs"):
        root_digest(archive(tmp_path, changed(members, Layers=layers[:2])))


def test_a_config_that_is_not_what_its_name_says_is_refused(tmp_path: Path) -> None:
    members = docker_members({"a:1": PLAIN})
    members[f"{PLAIN.config.digest[7:]}.json"] = OTHER.config.data
    with pytest.raises(DigestMismatch, match=f"has another digest, {OTHER.config.digest}"):
        root_digest(archive(tmp_path, members))


def test_a_config_may_have_any_name(tmp_path: Path) -> None:
    members = docker_members({"a:1": PLAIN}) | {"config.json": PLAIN.config.data}
    with open_image(archive(tmp_path, changed(members, Config="config.json"))) as image:
        assert image.digest == PLAIN.config.digest


def test_a_huge_config_is_refused(tmp_path: Path) -> None:
    members = docker_members({"a:1": PLAIN}) | {"huge": bytes(17 << 20)}
    with pytest.raises(LimitExceeded, match="more than a document may have"):
        root_digest(archive(tmp_path, changed(members, Config="huge")))


def test_the_reader_can_be_told_its_name(tmp_path: Path) -> None:
    (tmp_path / "x.tar.gz").write_bytes(gzip.compress(tar_of(docker_members({"a:1": PLAIN}))))
    with read_archive(tmp_path / "x.tar.gz", reference="docker-daemon:a:1") as source:
        assert source.reference == "docker-daemon:a:1"


def test_what_is_written_is_read(tmp_path: Path) -> None:
    location = f"docker-archive:{tmp_path / 'new.tar'}:some/name"
    with open_destination(location, ANYWHERE) as destination:
        assert destination.compressions == {"uncompressed"}
        destination.put_blob(iter([PLAIN.layers[0].data]), "", None)
        assert not (tmp_path / "new.tar").exists()
        push(destination, PLAIN)
    with open_image(location) as image:
        assert image.digest == PLAIN.config.digest
        for layer, stored in zip(image.layers, PLAIN.layers, strict=True):
            with image.open_layer(layer) as stream:
                assert stream.read() == stored.data
    assert no_leftovers(tmp_path)


def test_an_archive_is_what_docker_expects(tmp_path: Path) -> None:
    with open_destination(f"docker-archive:{tmp_path / 'new.tar'}:name", ANYWHERE) as destination:
        push(destination, PLAIN)
    with tarfile.open(tmp_path / "new.tar") as found:
        layers = [f"{diff_id.removeprefix('sha256:')}.tar" for diff_id in PLAIN.diff_ids]
        config = f"{PLAIN.config.digest.removeprefix('sha256:')}.json"
        assert found.getnames() == [*layers, config, "manifest.json"]
        assert {(info.mtime, info.uid, info.mode) for info in found} == {(0, 0, 0o644)}
        manifest = found.extractfile("manifest.json")
        assert manifest is not None
        assert json.load(manifest) == [{"Config": config, "RepoTags": ["name:latest"], "Layers": layers}]


def test_without_a_name_there_is_no_tag(tmp_path: Path) -> None:
    with open_destination(f"docker-archive:{tmp_path / 'new.tar'}", ANYWHERE) as destination:
        push(destination, PLAIN)
    with tarfile.open(tmp_path / "new.tar") as found:
        manifest = found.extractfile("manifest.json")
        assert manifest is not None
        assert json.load(manifest)[0]["RepoTags"] == []


@pytest.mark.parametrize("name", ["@1", "Upper/Case", "a b", "name@sha256:00", "a:b:c", "x/"])
def test_a_name_must_be_one(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidReference, match="is no name of an image"):
        open_destination(f"docker-archive:{tmp_path / 'new.tar'}:{name}", ANYWHERE)
    assert not list(tmp_path.iterdir())


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    location = archive(tmp_path, docker_members({"a:1": PLAIN}))
    for name in ("a", "b"):
        copy(location, f"docker-archive:{tmp_path / name}:name")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_an_index_does_not_fit(tmp_path: Path) -> None:
    index = sample_index(PLAIN, OTHER)
    with (
        pytest.raises(Unsupported, match="choose one with --platform"),
        open_destination(f"docker-archive:{tmp_path / 'new.tar'}", ANYWHERE) as destination,
    ):
        push(destination, index)
    assert not list(tmp_path.iterdir())


def test_a_manifest_without_its_layers_is_refused(tmp_path: Path) -> None:
    (tmp_path / "old.tar").write_bytes(b"old")
    with open_destination(f"docker-archive:{tmp_path / 'old.tar'}", ANYWHERE) as destination:
        destination.put_document(document_of(PLAIN.config))
        with pytest.raises(TransportError, match="which was not written"):
            destination.commit(document_of(PLAIN.manifest))
    assert (tmp_path / "old.tar").read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_foreign_layer_cannot_be_left_out(tmp_path: Path) -> None:
    foreign = Blob(media_types.DOCKER_FOREIGN_LAYER, b"elsewhere")
    image = with_manifest(replace(PLAIN, layers=(foreign,)), "docker")
    with open_destination(f"docker-archive:{tmp_path / 'new.tar'}", ANYWHERE) as destination:
        destination.put_document(document_of(image.config))
        with pytest.raises(Unsupported, match=f"cannot leave out the foreign layer {foreign.digest}"):
            destination.commit(document_of(image.manifest))
    assert not list(tmp_path.iterdir())


def test_layers_that_are_there_are_held(tmp_path: Path) -> None:
    with open_destination(f"docker-archive:{tmp_path / 'new.tar'}", ANYWHERE) as destination:
        stored = destination.put_blob(iter([b"tar"]), media_types.DOCKER_LAYER, None)
        assert stored.digest == Digest.of(b"tar")
        with open_destination(f"docker-archive:{tmp_path / 'other.tar'}", ANYWHERE) as other:
            origin: Any = None  # it is not asked
            assert destination.holds(stored, origin)
            assert not other.holds(stored, origin)


def test_errors_are_ours(tmp_path: Path) -> None:
    with pytest.raises(DeadweightError, match="does not exist"):
        root_digest(f"docker-archive:{tmp_path / 'gone.tar'}")


def test_names_of_members_may_begin_with_a_dot(tmp_path: Path) -> None:
    members = docker_members({"a:1": PLAIN})
    (item,) = json.loads(members["manifest.json"])
    dotted = changed(members, Config=f"./{item['Config']}", Layers=[f"./{name}" for name in item["Layers"]])
    assert root_digest(archive(tmp_path, dotted)) == root_digest(archive(tmp_path, members))
