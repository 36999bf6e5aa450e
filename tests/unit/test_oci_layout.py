from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from archive_samples import (
    ANYWHERE,
    CONTAINERD_NAME,
    copy,
    entry,
    layout_members,
    no_leftovers,
    root_digest,
    write_members,
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
from deadweight.image import open_image, open_images
from deadweight.oci import media_types
from deadweight.oci.descriptor import Descriptor, Platform
from deadweight.oci.digest import Digest
from deadweight.transport.names import open_destination, open_source
from services.images import Blob, SampleImage, sample_image, sample_index, with_manifest
from services.transfer import contents, descriptor_of, document_of, pulled, push

AMD = sample_image()
ARM = sample_image(architecture="arm64")
OTHER = sample_image(({"other": b"content"},))


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    """A layout of two images, `one` and `two`."""
    members = layout_members([AMD, OTHER], [entry(AMD, "one"), entry(OTHER, "two")])
    return write_members(tmp_path / "layout", members)


def written(path: Path, members: Mapping[str, bytes]) -> str:
    return f"oci:{write_members(path / 'layout', members)}"


@pytest.mark.parametrize("image", [AMD, sample_image(compression="zstd"), sample_index(AMD, ARM)])
def test_all_of_an_image_is_read(tmp_path: Path, image: SampleImage) -> None:
    with open_source(written(tmp_path, layout_members([image], [entry(image)])), ANYWHERE) as source:
        assert pulled(source) == contents(image)
        assert source.traits.original_manifest


def test_a_name_chooses(layout: Path) -> None:
    assert root_digest(f"oci:{layout}:two") == OTHER.manifest.digest


def test_a_digest_chooses(layout: Path) -> None:
    assert root_digest(f"oci:{layout}@{OTHER.manifest.digest}") == OTHER.manifest.digest
    assert root_digest(f"oci:{layout}:@{OTHER.manifest.digest}") == OTHER.manifest.digest


def test_a_digest_chooses_inside_a_nested_index(tmp_path: Path) -> None:
    index = sample_index(AMD, ARM)
    location = written(tmp_path, layout_members([index], [entry(index)]))
    assert root_digest(f"{location}@{ARM.manifest.digest}") == ARM.manifest.digest


def test_the_name_that_containerd_gives_chooses_too(tmp_path: Path) -> None:
    entries = [entry(AMD, "latest"), entry(OTHER, "latest")]
    for item, name in zip(entries, ("docker.io/library/a:latest", "docker.io/library/b:latest"), strict=True):
        item["annotations"][CONTAINERD_NAME] = name
    location = written(tmp_path, layout_members([AMD, OTHER], entries))
    assert root_digest(f"{location}:docker.io/library/b:latest") == OTHER.manifest.digest
    with pytest.raises(InvalidReference, match="holds 2 images"):
        root_digest(f"{location}:latest")


def test_without_a_name_the_only_image_is_meant(tmp_path: Path) -> None:
    location = written(tmp_path, layout_members([AMD], [entry(AMD, "a"), entry(AMD, "b")]))
    assert root_digest(location) == AMD.manifest.digest


def test_without_a_name_several_images_are_listed(layout: Path) -> None:
    with pytest.raises(InvalidReference, match=r"holds 2 images; add one of :one, :two$"):
        root_digest(f"oci:{layout}")


def test_an_unknown_name_is_answered_with_the_known(layout: Path) -> None:
    with pytest.raises(NotFound, match="holds no image named 'three'; it holds :one, :two"):
        root_digest(f"oci:{layout}:three")


def test_unnamed_entries_for_several_platforms_are_one_image(tmp_path: Path) -> None:
    platforms = ({"os": "linux", "architecture": "amd64"}, {"os": "linux", "architecture": "arm64"})
    entries = [entry(AMD, "", platforms[0]), entry(ARM, "", platforms[1])]
    location = written(tmp_path, layout_members([AMD, ARM], entries))
    with open_image(location, Platform("linux", "arm64")) as image:
        assert image.digest == ARM.manifest.digest
    with open_images(location) as images:
        assert [str(image.platform) for image in images] == ["linux/amd64", "linux/arm64"]


def test_entries_of_one_name_for_several_platforms_are_one_image(tmp_path: Path) -> None:
    platforms = ({"os": "linux", "architecture": "amd64"}, {"os": "linux", "architecture": "arm64"})
    entries = [entry(AMD, "x", platforms[0]), entry(ARM, "x", platforms[1]), entry(OTHER, "y")]
    location = written(tmp_path, layout_members([AMD, ARM, OTHER], entries))
    with open_images(f"{location}:x") as images:
        assert [image.digest for image in images] == [AMD.manifest.digest, ARM.manifest.digest]


def test_the_same_platform_twice_is_not_one_image(tmp_path: Path) -> None:
    platform = {"os": "linux", "architecture": "amd64"}
    entries = [entry(AMD, "", platform), entry(OTHER, "", platform)]
    with pytest.raises(InvalidReference, match=f"add one of @{AMD.manifest.digest}|@{OTHER.manifest.digest}"):
        root_digest(written(tmp_path, layout_members([AMD, OTHER], entries)))


@pytest.mark.parametrize(
    ("name", "data", "kind", "problem"),
    [
        ("oci-layout", b"{", InvalidDocument, "is not valid JSON"),
        ("oci-layout", b"{}", Unsupported, "the layout's version is ''"),
        ("oci-layout", b'{"imageLayoutVersion":"2.0.0"}', Unsupported, "version is '2.0.0'"),
        ("index.json", b"foobar", InvalidDocument, r"index\.json: is not valid JSON"),
        ("index.json", b'{"schemaVersion":2,"manifests":null}', NotFound, "the layout holds no image"),
        ("index.json", b'{"schemaVersion":2,"layers":[]}', InvalidDocument, "but has other fields"),
        ("index.json", AMD.manifest.data, InvalidDocument, "is a manifest, where an index is needed"),
    ],
)
def test_broken_layouts(layout: Path, name: str, data: bytes, kind: type[Exception], problem: str) -> None:
    (layout / name).write_bytes(data)
    with pytest.raises(kind, match=problem):
        root_digest(f"oci:{layout}")


@pytest.mark.parametrize("name", ["oci-layout", "index.json"])
def test_missing_files(layout: Path, name: str) -> None:
    (layout / name).unlink()
    with pytest.raises(NotFound, match=name):
        root_digest(f"oci:{layout}")


def test_a_manifest_that_is_another_is_refused(layout: Path) -> None:
    place = layout / "blobs" / AMD.manifest.digest.replace(":", "/")
    place.write_bytes(place.read_bytes().replace(b"layers", b"Layers"))
    with pytest.raises(DigestMismatch):
        root_digest(f"oci:{layout}:one")


def test_a_descriptor_of_a_huge_document_is_refused_unread(tmp_path: Path) -> None:
    item = entry(AMD) | {"size": 1 << 40}
    with pytest.raises(LimitExceeded):
        root_digest(written(tmp_path, layout_members([AMD], [item])))


def test_a_missing_layer_is_named(layout: Path) -> None:
    (layout / "blobs" / AMD.layers[0].digest.replace(":", "/")).unlink()
    with (
        open_source(f"oci:{layout}:one", ANYWHERE) as source,
        pytest.raises(NotFound, match="does not exist"),
    ):
        source.blob(descriptor_of(AMD.layers[0]))


@pytest.mark.parametrize("image", [AMD, sample_index(AMD, ARM)])
def test_what_is_written_is_read(tmp_path: Path, image: SampleImage) -> None:
    with open_destination(f"oci:{tmp_path / 'new'}:tag", ANYWHERE) as destination:
        push(destination, image)
    with open_source(f"oci:{tmp_path / 'new'}:tag", ANYWHERE) as source:
        assert pulled(source) == contents(image)
    assert no_leftovers(tmp_path)


def test_nothing_is_seen_before_the_commit_or_without_it(tmp_path: Path) -> None:
    with open_destination(f"oci:{tmp_path / 'new'}", ANYWHERE) as destination:
        destination.put_blob(iter([AMD.layers[0].data]), "", None)
        assert not (tmp_path / "new").exists()
    assert not list(tmp_path.iterdir())


def test_other_images_of_a_layout_stay(layout: Path) -> None:
    with open_destination(f"oci:{layout}:three", ANYWHERE) as destination:
        push(destination, ARM)
    digests = [root_digest(f"oci:{layout}:{name}") for name in ("one", "two", "three")]
    assert digests == [AMD.manifest.digest, OTHER.manifest.digest, ARM.manifest.digest]


@pytest.mark.parametrize("name", ["", ":one"])
def test_the_image_of_the_same_name_is_replaced(tmp_path: Path, name: str) -> None:
    location = written(tmp_path, layout_members([AMD, ARM], [entry(ARM, name[1:])])) + name
    with open_destination(location, ANYWHERE) as destination:
        push(destination, OTHER)
    assert root_digest(location) == OTHER.manifest.digest
    assert len(json.loads((tmp_path / "layout/index.json").read_bytes())["manifests"]) == 1


def test_what_is_unknown_in_an_index_stays(layout: Path) -> None:
    index = json.loads((layout / "index.json").read_bytes())
    index["annotations"] = {"a": "b"}
    index["manifests"][0]["x-unknown"] = [1]
    (layout / "index.json").write_text(json.dumps(index))
    with open_destination(f"oci:{layout}:three", ANYWHERE) as destination:
        push(destination, ARM)
    found = json.loads((layout / "index.json").read_bytes())
    assert found["annotations"] == {"a": "b"}
    assert found["manifests"][:2] == index["manifests"]


def test_a_platform_is_noted(tmp_path: Path) -> None:
    with open_destination(f"oci:{tmp_path / 'new'}", ANYWHERE) as destination:
        destination.put_blob(iter([OTHER.layers[0].data]), "", None)
        destination.put_document(document_of(OTHER.config))
        destination.commit(document_of(OTHER.manifest), Platform("linux", "arm", "v7"))
    (found,) = json.loads((tmp_path / "new/index.json").read_bytes())["manifests"]
    assert found["platform"] == {"os": "linux", "architecture": "arm", "variant": "v7"}


def test_an_abandoned_write_leaves_a_layout_as_it_was(layout: Path) -> None:
    before = {path: path.read_bytes() for path in layout.rglob("*") if path.is_file()}
    with open_destination(f"oci:{layout}:three", ANYWHERE) as destination:
        destination.put_blob(iter([ARM.layers[0].data]), "", None)
    assert {path: path.read_bytes() for path in layout.rglob("*") if path.is_file()} == before
    assert no_leftovers(layout)


def test_a_foreign_layer_may_be_elsewhere(tmp_path: Path) -> None:
    foreign = Blob(media_types.OCI_FOREIGN_LAYER, b"elsewhere")
    image = with_manifest(replace(AMD, layers=(foreign,)), "oci")
    location = f"oci:{tmp_path / 'new'}"
    with open_destination(location, ANYWHERE) as destination:
        destination.put_document(document_of(image.config))
        destination.commit(document_of(image.manifest))
    assert root_digest(location) == image.manifest.digest


def test_two_writers_of_one_layout_do_not_lose_each_others_images(layout: Path) -> None:
    with (
        open_destination(f"oci:{layout}:three", ANYWHERE) as first,
        open_destination(f"oci:{layout}:four", ANYWHERE) as second,
    ):
        push(second, ARM)
        push(first, sample_image(({"third": b""},)))
    assert root_digest(f"oci:{layout}:four") == ARM.manifest.digest
    assert len(json.loads((layout / "index.json").read_bytes())["manifests"]) == 4
    assert no_leftovers(layout)


def test_of_two_writers_of_a_new_layout_the_second_joins(tmp_path: Path) -> None:
    layout = tmp_path / "new"
    with (
        open_destination(f"oci:{layout}:one", ANYWHERE) as first,
        open_destination(f"oci:{layout}:two", ANYWHERE) as second,
    ):
        push(second, ARM)
        push(first, AMD)
    assert root_digest(f"oci:{layout}:one") == AMD.manifest.digest
    assert root_digest(f"oci:{layout}:two") == ARM.manifest.digest
    assert no_leftovers(tmp_path)
    assert no_leftovers(layout)


def test_what_somebody_else_made_meanwhile_is_not_written_into(tmp_path: Path) -> None:
    layout = tmp_path / "new"
    with open_destination(f"oci:{layout}:one", ANYWHERE) as first:
        layout.mkdir()
        (layout / "theirs").write_text("mine")
        with pytest.raises(InvalidReference, match="is no OCI layout, and is not replaced"):
            push(first, AMD)
    assert [path.name for path in layout.iterdir()] == ["theirs"]
    assert no_leftovers(tmp_path)


def test_a_wrong_blob_is_not_stored(tmp_path: Path) -> None:
    with open_destination(f"oci:{tmp_path / 'new'}", ANYWHERE) as destination:
        with pytest.raises(DigestMismatch):
            destination.put_blob(iter([b"other"]), "", descriptor_of(AMD.layers[0]))
        push(destination, AMD)
    names = {path.name for path in (tmp_path / "new").rglob("*") if path.is_file()}
    assert names == {blob.digest[7:] for blob in AMD.blobs} | {"oci-layout", "index.json"}


def test_a_manifest_without_its_layers_is_refused(tmp_path: Path) -> None:
    with open_destination(f"oci:{tmp_path / 'new'}", ANYWHERE) as destination:
        destination.put_document(document_of(AMD.config))
        with pytest.raises(TransportError, match="which was not written"):
            destination.commit(document_of(AMD.manifest))
    assert not list(tmp_path.iterdir())


def test_blobs_that_are_there_are_held(layout: Path, tmp_path: Path) -> None:
    location = written(tmp_path / "origin", layout_members([AMD], [entry(AMD)]))
    with open_source(location, ANYWHERE) as origin:
        layer = descriptor_of(AMD.layers[0])
        with open_destination(f"oci:{layout}:x", ANYWHERE) as destination:
            assert destination.holds(layer, origin)
            assert not destination.holds(descriptor_of(ARM.config), origin)
            destination.put_document(document_of(ARM.config))
            assert destination.holds(descriptor_of(ARM.config), origin)
        # One that is broken is not held, and is replaced.
        place = layout / "blobs" / layer.digest.replace(":", "/")
        place.write_bytes(bytes(layer.size))
        with open_destination(f"oci:{layout}:x", ANYWHERE) as destination:
            assert not destination.holds(layer, origin)
            push(destination, AMD)
        assert Digest.of(place.read_bytes()) == layer.digest


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(InvalidReference, match="is no OCI layout, and is not replaced"):
        open_destination(f"oci:{tmp_path}:x", ANYWHERE)
    with pytest.raises(TransportError, match=r"thesis\.txt: not a directory"):
        open_destination(f"oci:{tmp_path}/thesis.txt", ANYWHERE)


def test_a_broken_layout_is_not_written_to(layout: Path) -> None:
    (layout / "index.json").write_bytes(b"foobar")
    with pytest.raises(InvalidDocument):
        open_destination(f"oci:{layout}:x", ANYWHERE)


@pytest.mark.parametrize("left", [[], ["blobs/sha256"], ["blobs/sha256", "oci-layout"]])
def test_an_empty_folder_and_what_an_interruption_left_are_written_to(
    tmp_path: Path, left: list[str]
) -> None:
    for name in left:
        if "/" in name:
            (tmp_path / name).mkdir(parents=True)
        else:
            (tmp_path / name).touch()
    with open_destination(f"oci:{tmp_path}:x", ANYWHERE) as destination:
        push(destination, AMD)
    assert root_digest(f"oci:{tmp_path}:x") == AMD.manifest.digest


@pytest.mark.parametrize("name", [":-x", ":a b", f"@{AMD.manifest.digest}", f":@{AMD.manifest.digest}"])
def test_a_reference_name_must_be_one(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidReference, match="has no valid reference name"):
        open_destination(f"oci:{tmp_path / 'new'}{name}", ANYWHERE)


def test_the_same_input_gives_the_same_bytes(tmp_path: Path, layout: Path) -> None:
    for name in ("a", "b"):
        copy(f"oci:{layout}:one", f"oci:{tmp_path / name}:tag")

    def files(folder: Path) -> Iterator[tuple[str, bytes]]:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                yield str(path.relative_to(folder)), path.read_bytes()

    assert list(files(tmp_path / "a")) == list(files(tmp_path / "b"))


def test_a_digest_of_another_algorithm(tmp_path: Path) -> None:
    data = b"content"
    digest = Digest("sha512:" + hashlib.sha512(data).hexdigest())
    with open_destination(f"oci:{tmp_path / 'new'}", ANYWHERE) as destination:
        stored = destination.put_blob(iter([data]), "type", Descriptor("", digest, len(data)))
        push(destination, AMD)
    assert stored == Descriptor("type", digest, len(data))
    assert (tmp_path / "new/blobs/sha512" / digest.hex).read_bytes() == data


def test_errors_are_ours(tmp_path: Path) -> None:
    with pytest.raises(DeadweightError, match="make the folder first"):
        open_destination(f"oci:{tmp_path}/missing/new", ANYWHERE)


@pytest.mark.parametrize(
    ("name", "problem"), [("gone", "gone: does not exist"), ("file", "file: is no folder")]
)
def test_a_layout_is_a_folder(tmp_path: Path, name: str, problem: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NotFound, match=problem):
        root_digest(f"oci:{tmp_path / name}")
