"""Copies between transports: what stays, what changes, what is refused; checked by our readers and by skopeo."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from archive_samples import ANYWHERE, docker_members, no_leftovers, tar_of
from deadweight.copying import ALL, CopyResult, copy_image
from deadweight.copying.documents import CODEC
from deadweight.errors import (
    DeadweightError,
    DigestMismatch,
    InvalidDocument,
    InvalidLayer,
    NotFound,
    UsageError,
)
from deadweight.image import open_image, open_images
from deadweight.indexing import index_image
from deadweight.layer.compress import Compression
from deadweight.oci import media_types
from deadweight.oci.descriptor import Platform
from deadweight.oci.manifest import Manifest, parse_document
from deadweight.transport.names import open_source
from services.images import (
    FILES,
    Blob,
    SampleImage,
    SampleIndex,
    sample_image,
    sample_index,
    with_manifest,
    write_layout,
)
from services.registry import Registry
from services.transfer import contents, pulled, skopeo

GZIP = Compression("gzip")
ZSTD = Compression("zstd")
PLAIN = Compression("uncompressed")
AMD64 = sample_image()
ARM64 = sample_image(architecture="arm64")
ATTESTATION = "application/vnd.in-toto+json"
AMD = Platform("linux", "amd64")


@pytest.fixture
def source(tmp_path: Path) -> str:
    return f"oci:{write_layout(tmp_path / 'source', AMD64)}:latest"


def layout(folder: Path, image: SampleImage | SampleIndex) -> str:
    return f"oci:{write_layout(folder, image)}:latest"


def everything(reference: str) -> dict[str, bytes]:
    with open_source(reference, ANYWHERE) as source:
        return pulled(source)


def verified(reference: str) -> list[list[str]]:
    """The diff IDs of each image at `reference`, after every blob and diff ID was checked."""
    with open_images(reference) as images:
        return [[str(index.diff_id) for index in index_image(image)] for image in images]


def manifest_of(reference: str) -> Manifest:
    with open_source(reference, ANYWHERE) as source:
        manifest = parse_document(source.root())
        assert isinstance(manifest, Manifest)
        return manifest


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def outcomes(result: CopyResult) -> list[str]:
    return [layer.outcome for layer in result.layers]


def changed(image: SampleImage, **layers: Any) -> SampleImage:
    """`image` with further fields in the descriptors of its layers; ``first`` and so on are the first layer's."""
    manifest = json.loads(image.manifest.data)
    manifest["layers"][0] |= layers
    return replace(image, manifest=Blob(image.manifest.media_type, json.dumps(manifest).encode()))


def _require_same(tmp_path: Path, kind: str, image: SampleImage) -> None:
    target = f"{kind}:{tmp_path / 'target'}"
    result = copy_image(layout(tmp_path / "source", image), target)
    assert result.digest == image.manifest.digest
    assert everything(target) == contents(image)
    assert outcomes(result) == ["moved"] * 3
    assert (
        result.moved == result.stored_before == result.stored_after == sum(len(b.data) for b in image.layers)
    )
    assert result.notes == ()
    assert no_leftovers(tmp_path)


def _families(manifest: Manifest) -> set[str]:
    """``oci`` or ``docker``, as the media types in `manifest` say; both where they are mixed."""
    types = (manifest.media_type, *(part.media_type for part in (manifest.config, *manifest.layers)))
    return {"docker" if name.startswith("application/vnd.docker.") else "oci" for name in types}


# As it is


@pytest.mark.parametrize("compression", ["gzip", "zstd", "uncompressed"])
@pytest.mark.parametrize("kind", ["oci", "oci-archive", "dir"])
def test_nothing_changes(tmp_path: Path, kind: str, compression: str) -> None:
    _require_same(tmp_path, kind, sample_image(compression=compression))


def test_docker_manifests_stay_where_they_are_expected(
    tmp_path: Path, registry: Registry, repository: str
) -> None:
    image = sample_image(family="docker")
    _require_same(tmp_path, "dir", image)
    name = f"docker://{registry.host}/{repository}:x"
    assert copy_image(layout(tmp_path / "again", image), name).digest == image.manifest.digest


@pytest.mark.parametrize("compression", ["gzip", "zstd", "uncompressed"])
@pytest.mark.parametrize("kind", ["oci", "oci-archive"])
def test_docker_manifests_become_oci_in_layouts(tmp_path: Path, kind: str, compression: str) -> None:
    image = sample_image(family="docker", compression=compression)
    target = f"{kind}:{tmp_path / 'target'}:x"
    result = copy_image(layout(tmp_path / "source", image), target)
    assert outcomes(result) == ["moved"] * 3
    assert any("OCI" in note for note in result.notes)
    assert _families(manifest_of(target)) == {"oci"}
    assert [str(layer.digest) for layer in manifest_of(target).layers] == [b.digest for b in image.layers]
    assert everything(target).items() >= {b.digest: b.data for b in (*image.layers, image.config)}.items()


def test_around_all_transports(tmp_path: Path, source: str, registry: Registry, repository: str) -> None:
    stations = [
        f"oci-archive:{tmp_path / 'a.tar'}:one",
        f"dir:{tmp_path / 'folder'}",
        f"docker://{registry.host}/{repository}:one",
        f"oci:{tmp_path / 'layout'}:two",
    ]
    for station in stations:
        assert copy_image(source, station).digest == AMD64.manifest.digest
        assert everything(station) == contents(AMD64)
        source = station


def test_others_read_it(tmp_path: Path, source: str) -> None:
    for number, target in enumerate(("oci:{}:a", "oci-archive:{}:a", "docker-archive:{}:a:b", "dir:{}")):
        place = target.format(tmp_path / f"target{number}")
        copy_image(source, place)
        skopeo("copy", place, f"dir:{tmp_path / f'read{number}'}")
        assert json.loads(skopeo("inspect", "--config", place)) == json.loads(AMD64.config.data)


def test_all_of_an_index(tmp_path: Path) -> None:
    index = sample_index(AMD64, ARM64)
    target = f"oci:{tmp_path / 'target'}:latest"
    result = copy_image(layout(tmp_path / "source", index), target, platform=ALL)
    assert result.digest == index.index.digest
    assert everything(target) == contents(index)
    assert result.images == 2
    assert len(result.layers) == 3  # the two images have the same ones


def test_an_index_in_an_index(tmp_path: Path) -> None:
    inner = sample_index(AMD64)
    entries = [inner.index.descriptor(), ARM64.manifest.descriptor()]
    raw = json.dumps({"schemaVersion": 2, "mediaType": inner.index.media_type, "manifests": entries}).encode()
    outer = SampleIndex(Blob(inner.index.media_type, raw), (AMD64, ARM64))
    place = write_layout(tmp_path / "source", outer)
    (place / "blobs" / inner.index.digest.replace(":", "/")).write_bytes(inner.index.data)
    result = copy_image(f"oci:{place}:latest", f"oci:{tmp_path / 'target'}:latest", platform=ALL)
    assert (result.digest, result.images) == (outer.index.digest, 2)
    result = copy_image(f"oci:{place}:latest", f"oci:{tmp_path / 'zstd'}:x", platform=ALL, compression=ZSTD)
    assert verified(f"oci:{tmp_path / 'zstd'}:x") == [list(AMD64.diff_ids), list(ARM64.diff_ids)]


def test_one_platform_of_an_index(tmp_path: Path) -> None:
    source = layout(tmp_path / "source", sample_index(AMD64, ARM64))
    result = copy_image(source, f"oci:{tmp_path / 'target'}:arm", platform=Platform("linux", "arm64"))
    assert result.digest == ARM64.manifest.digest
    with open_image(f"oci:{tmp_path / 'target'}:arm", Platform("linux", "arm64")) as image:
        assert image.platform.architecture == "arm64"
    [entry] = json.loads((tmp_path / "target" / "index.json").read_bytes())["manifests"]
    assert entry["platform"] == {"architecture": "arm64", "os": "linux"}
    with pytest.raises(NotFound, match="linux/s390x"):
        copy_image(source, f"oci:{tmp_path / 'none'}", platform=Platform("linux", "s390x"))
    assert not (tmp_path / "none").exists()


def test_a_second_copy_moves_nothing(tmp_path: Path, source: str) -> None:
    first = copy_image(source, f"oci:{tmp_path / 'target'}:one")
    second = copy_image(source, f"oci:{tmp_path / 'target'}:two")
    assert (first.reused, second.reused, second.moved) == (0, 3, 0)
    assert everything(f"oci:{tmp_path / 'target'}:one") == everything(f"oci:{tmp_path / 'target'}:two")


def test_identical_layers_move_once(tmp_path: Path) -> None:
    image = sample_image((FILES[0], FILES[1], FILES[0]))
    source = layout(tmp_path / "source", image)
    for name, compression, outcome in (("keep", None, "moved"), ("zstd", ZSTD, "converted")):
        result = copy_image(source, f"oci:{tmp_path / name}", compression=compression)
        assert outcomes(result) == [outcome] * 2
        manifest = manifest_of(f"oci:{tmp_path / name}")
        assert len(manifest.layers) == 3
        assert manifest.layers[0] == manifest.layers[2]


def test_artifacts_of_an_index_come_along(tmp_path: Path) -> None:
    place, index = _with_attestation(tmp_path / "source")
    result = copy_image(f"oci:{place}:latest", f"oci:{tmp_path / 'target'}:latest", platform=ALL)
    assert result.digest == index.index.digest
    assert everything(f"oci:{tmp_path / 'target'}:latest") == everything(f"oci:{place}:latest")
    assert result.images == 1


def test_foreign_layers_are_named_only(tmp_path: Path) -> None:
    foreign = {
        "mediaType": media_types.OCI_FOREIGN_LAYER + "+gzip",
        "urls": ["https://example.org/layer"],
    }
    image = changed(AMD64, **foreign)
    place = write_layout(tmp_path / "source", image)
    (place / "blobs" / image.layers[0].digest.replace(":", "/")).unlink()
    kept = copy_image(f"oci:{place}", f"oci:{tmp_path / 'keep'}")
    assert outcomes(kept) == ["foreign", "moved", "moved"]
    assert kept.digest == image.manifest.digest
    assert any("foreign" in note for note in kept.notes)
    zstd = copy_image(f"oci:{place}", f"oci:{tmp_path / 'zstd'}", compression=ZSTD)
    assert outcomes(zstd) == ["foreign", "converted", "converted"]
    layer = manifest_of(f"oci:{tmp_path / 'zstd'}").layers[0]
    assert layer.media_type == media_types.OCI_FOREIGN_LAYER + "+gzip"
    assert layer.urls == ("https://example.org/layer",)


# Compressed anew


@pytest.mark.parametrize("family", ["oci", "docker"])
@pytest.mark.parametrize("old", ["gzip", "zstd", "uncompressed"])
@pytest.mark.parametrize("new", ["gzip:9", "zstd:3", "uncompressed"])
def test_recompressed(tmp_path: Path, family: str, old: str, new: str) -> None:
    compression = Compression.parse(new)
    assert compression is not None
    image = sample_image(family=family, compression=old)
    target = f"oci:{tmp_path / 'target'}:x"
    copy_image(layout(tmp_path / "source", image), target, compression=compression)
    assert verified(target) == [list(image.diff_ids)]
    manifest = manifest_of(target)
    methods = {media_types.layer_compression(layer.media_type) for layer in manifest.layers}
    assert methods == {compression.method}
    assert manifest.config.digest == image.config.digest
    assert everything(target)[image.config.digest] == image.config.data
    assert _families(manifest) == {"oci"}
    skopeo("copy", target, f"dir:{tmp_path / 'read'}")


@pytest.mark.parametrize(
    ("new", "family"), [("gzip:9", "docker"), ("uncompressed", "docker"), ("zstd:3", "oci")]
)
def test_only_zstd_makes_docker_manifests_oci(tmp_path: Path, new: str, family: str) -> None:
    image = sample_image(family="docker")
    target = f"dir:{tmp_path / 'target'}"
    result = copy_image(
        layout(tmp_path / "source", image), target, compression=Compression.parse(new), platform=AMD
    )
    assert verified(target) == [list(image.diff_ids)]
    assert _families(manifest_of(target)) == {family}
    assert len(result.notes) == (family == "oci")
    assert not any(layer.annotations for layer in manifest_of(target).layers if family == "docker")


def test_a_list_of_dockers_becomes_an_index(tmp_path: Path) -> None:
    index = sample_index(sample_image(family="docker"), family="docker")
    target = f"oci:{tmp_path / 'index'}"
    copy_image(layout(tmp_path / "list", index), target, compression=ZSTD, platform=ALL)
    with open_source(target, ANYWHERE) as source:
        assert source.root().descriptor.media_type == media_types.OCI_INDEX


@pytest.mark.parametrize("compression", [Compression("gzip", 6), ZSTD, PLAIN], ids=str)
def test_the_number_of_threads_changes_nothing(tmp_path: Path, compression: Compression) -> None:
    noise = random.Random(1).randbytes(700_000)
    image = sample_image(({"a": noise * 5, "b": noise[::-1] * 4}, {"c": noise}), compression="uncompressed")
    source = layout(tmp_path / "source", image)
    digests = {
        copy_image(source, f"oci:{tmp_path / str(threads)}", compression=compression, threads=threads).digest
        for threads in (1, 2, 3, 8)
    }
    assert len(digests) == 1


def test_without_a_level_what_is_compressed_so_stays(tmp_path: Path, source: str) -> None:
    assert copy_image(source, f"oci:{tmp_path / 'a'}", compression=GZIP).digest == AMD64.manifest.digest
    again = copy_image(source, f"oci:{tmp_path / 'b'}", compression=Compression("gzip", 4))
    assert outcomes(again) == ["converted"] * 3
    assert again.digest != AMD64.manifest.digest


def test_annotations_stay_but_not_those_about_the_bytes(tmp_path: Path) -> None:
    annotations = {"org.example.kept": "yes", "containerd.io/snapshot/stargz/toc.digest": AMD64.config.digest}
    image = changed(AMD64, annotations=annotations)
    manifest = json.loads(image.manifest.data) | {"annotations": {"org.example.image": "also"}}
    image = replace(image, manifest=Blob(image.manifest.media_type, json.dumps(manifest).encode()))
    source = layout(tmp_path / "source", image)
    copy_image(source, f"oci:{tmp_path / 'zstd'}", compression=ZSTD)
    written = manifest_of(f"oci:{tmp_path / 'zstd'}")
    assert written.annotations == {"org.example.image": "also"}
    assert written.layers[0].annotations == {"org.example.kept": "yes", CODEC: ZSTD.codec}
    copy_image(f"oci:{tmp_path / 'zstd'}", f"oci:{tmp_path / 'plain'}", compression=PLAIN)
    assert manifest_of(f"oci:{tmp_path / 'plain'}").layers[0].annotations == {"org.example.kept": "yes"}


def test_an_index_is_rewritten_for_its_images(tmp_path: Path) -> None:
    source = layout(tmp_path / "source", sample_index(AMD64, ARM64))
    target = f"oci:{tmp_path / 'target'}:latest"
    result = copy_image(source, target, platform=ALL, compression=ZSTD)
    assert (result.images, outcomes(result)) == (2, ["converted"] * 3)
    assert verified(target) == [list(AMD64.diff_ids), list(ARM64.diff_ids)]
    with open_images(target) as images:
        assert [image.platform.architecture for image in images] == ["amd64", "arm64"]
    assert copy_image(source, target, platform=ALL, compression=ZSTD).digest == result.digest


def test_attestations_of_what_changed_are_left_out(tmp_path: Path) -> None:
    place, _ = _with_attestation(tmp_path / "source")
    target = f"oci:{tmp_path / 'target'}:latest"
    result = copy_image(f"oci:{place}:latest", target, platform=ALL, compression=ZSTD)
    assert any("1 attestations were left out" in note for note in result.notes)
    with open_source(target, ANYWHERE) as source:
        index = parse_document(source.root())
        assert not isinstance(index, Manifest)
        assert len(index.manifests) == 1
    kept = copy_image(f"oci:{place}:latest", f"oci:{tmp_path / 'same'}", platform=ALL, compression=GZIP)
    assert kept.notes == ()


# Destinations that take less


def test_a_docker_archive_takes_layers_uncompressed(tmp_path: Path, source: str) -> None:
    result = copy_image(source, f"docker-archive:{tmp_path / 'a.tar'}:example/app:1")
    assert outcomes(result) == ["converted"] * 3
    assert any("gzip layers were stored as uncompressed" in note for note in result.notes)
    with open_image(f"docker-archive:{tmp_path / 'a.tar'}") as image:
        assert [layer.diff_id for layer in image.layers] == list(AMD64.diff_ids)
        assert image.config_document.raw == AMD64.config.data
        index_image(image)


def test_a_compression_that_is_not_taken_is_refused(tmp_path: Path, source: str) -> None:
    with pytest.raises(UsageError, match="not as zstd"):
        copy_image(source, f"docker-archive:{tmp_path / 'a.tar'}:x", compression=ZSTD)
    assert names(tmp_path) == ["source"]


def test_from_a_classic_archive(tmp_path: Path) -> None:
    image = sample_image(family="docker", compression="uncompressed")
    archive = tmp_path / "a.tar"
    archive.write_bytes(tar_of(docker_members({"app:1": image})))
    target = f"oci:{tmp_path / 'target'}:x"
    result = copy_image(f"docker-archive:{archive}", target, compression=GZIP)
    assert verified(target) == [list(image.diff_ids)]
    assert result.stored_after < result.stored_before
    assert skopeo("inspect", "--config", "--raw", target).encode() == image.config.data


def test_a_registry_and_back(tmp_path: Path, registry: Registry, repository: str) -> None:
    name = f"docker://{registry.host}/{repository}"
    source = layout(tmp_path / "source", sample_index(AMD64, ARM64))
    result = copy_image(source, f"{name}:zstd", platform=ALL, compression=ZSTD)
    back = f"oci:{tmp_path / 'back'}:x"
    assert copy_image(f"{name}:zstd", back, platform=ALL).digest == result.digest
    assert verified(back) == [list(AMD64.diff_ids), list(ARM64.diff_ids)]
    again = copy_image(f"{name}:zstd", f"{name}-mounted:x", platform=ALL)
    assert (again.moved, again.reused) == (0, 3)


# Broken and hostile


def _damaged(folder: Path, image: SampleImage, blob: Blob, data: bytes) -> str:
    reference = layout(folder, image)
    (folder / "blobs" / blob.digest.replace(":", "/")).write_bytes(data)
    return reference


@pytest.mark.parametrize("compression", [None, ZSTD, PLAIN], ids=str)
@pytest.mark.parametrize("kind", ["oci", "oci-archive", "dir"])
@pytest.mark.parametrize("damage", ["other", "truncated", "longer", "empty", "bit"])
def test_a_damaged_layer_is_refused(
    tmp_path: Path, kind: str, damage: str, compression: Compression | None
) -> None:
    blob = AMD64.layers[1]
    data = {
        "other": AMD64.layers[0].data,
        "truncated": blob.data[:-9],
        "longer": blob.data + b"\0",
        "empty": b"",
        "bit": blob.data[:30] + bytes([blob.data[30] ^ 1]) + blob.data[31:],
    }[damage]
    source = _damaged(tmp_path / "source", AMD64, blob, data)
    with pytest.raises((DigestMismatch, InvalidLayer)) as caught:
        copy_image(source, f"{kind}:{tmp_path / 'target'}", compression=compression)
    assert blob.digest in str(caught.value)
    assert "\n" not in str(caught.value)
    assert names(tmp_path) == ["source"]


def test_a_layer_that_expands_to_something_else_is_refused(tmp_path: Path) -> None:
    other = AMD64.layers[2]
    swapped = replace(AMD64, layers=(AMD64.layers[0], other, other))
    source = layout(tmp_path / "source", with_manifest(swapped, "oci"))
    with pytest.raises(DigestMismatch, match="uncompressed layer"):
        copy_image(source, f"oci:{tmp_path / 'target'}", compression=ZSTD)
    assert names(tmp_path) == ["source"]


def test_what_the_destination_had_stays(tmp_path: Path, source: str) -> None:
    target = f"oci:{tmp_path / 'target'}:x"
    copy_image(source, target)
    before = {path: path.read_bytes() for path in (tmp_path / "target").rglob("*") if path.is_file()}
    broken = _damaged(tmp_path / "broken", ARM64, ARM64.config, b"{}")
    with pytest.raises(DigestMismatch):
        copy_image(broken, target, platform=ALL, compression=ZSTD)
    assert before == {path: path.read_bytes() for path in (tmp_path / "target").rglob("*") if path.is_file()}


def test_layers_and_diff_ids_must_match(tmp_path: Path) -> None:
    image = with_manifest(replace(AMD64, layers=AMD64.layers[:2]), "oci")
    with pytest.raises(InvalidDocument, match="2 layers, but its config has 3 diff IDs"):
        copy_image(layout(tmp_path / "source", image), f"oci:{tmp_path / 'target'}")


def test_a_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deadweight.layer.stored.MIN_TAR_LIMIT", 10 << 20)
    image = sample_image(({"zeros": bytes(64 << 20)},))
    with pytest.raises(DeadweightError, match="bomb"):
        copy_image(layout(tmp_path / "source", image), f"oci:{tmp_path / 'target'}", compression=ZSTD)
    assert names(tmp_path) == ["source"]


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("oci:{}/l:latest", "oci:{}/l:latest"),
        ("oci:{}/l:latest", "oci:{}/../" + "{name}/l:latest"),
        ("oci:{}/link:latest", "oci:{}/l:latest"),
        ("oci-archive:{}/a.tar:x", "oci-archive:{}/a.tar:y"),
        ("docker-archive:{}/d.tar:x:1", "docker-archive:{}/d.tar:y:1"),
        ("dir:{}/folder", "dir:{}/./folder"),
        ("oci-archive:{}/a.tar:x", "docker-archive:{}/a.tar:x:1"),
        ("docker-archive:{}/d.tar", "oci-archive:{}/d.tar"),
        ("rootfs:{}/d.tar", "docker-archive:{}/d.tar"),
    ],
)
def test_an_image_is_not_copied_onto_itself(tmp_path: Path, source: str, target: str) -> None:
    write_layout(tmp_path / "l", AMD64)
    (tmp_path / "link").symlink_to(tmp_path / "l")
    for place in ("oci-archive:{}/a.tar:x", "docker-archive:{}/d.tar:x:1", "dir:{}/folder"):
        copy_image(f"oci:{tmp_path / 'l'}", place.format(tmp_path))
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(UsageError, match="is the image to be copied"):
        copy_image(source.format(tmp_path), target.format(tmp_path, name=tmp_path.name), compression=None)
    assert before == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}


def test_another_name_in_the_same_layout_is_another_image(tmp_path: Path, source: str) -> None:
    copy_image(source, source.removesuffix("latest") + "zstd", compression=ZSTD)
    assert everything(source) == contents(AMD64)
    assert verified(source.removesuffix("latest") + "zstd") == [list(AMD64.diff_ids)]


# Progress and the command


def test_progress_goes_to_the_end_of_each_layer(tmp_path: Path, source: str) -> None:
    seen: list[tuple[str, int, int]] = []

    class Recorder:
        task, total = "", 0

        def start(self, task: str, total: int) -> None:
            self.task, self.total = task, total

        def advance_to(self, done: int) -> None:
            seen.append((self.task, done, self.total))

    for compression in (None, ZSTD):
        seen.clear()
        copy_image(source, f"oci:{tmp_path / str(compression)}", compression=compression, progress=Recorder())
        ends = {task: done for task, done, _ in seen}
        assert ends == {f"layer {n} of 3": len(AMD64.layers[n - 1].data) for n in (1, 2, 3)}
        assert all(done <= total for _, done, total in seen)


def test_the_command(tmp_path: Path, source: str) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "deadweight", "copy", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    done = run(source, f"oci:{tmp_path / 'a'}:x", "--compression", "zstd:3", "--threads", "2")
    assert (done.returncode, done.stderr) == (0, "")
    assert "3 converted" in done.stdout
    assert verified(f"oci:{tmp_path / 'a'}:x") == [list(AMD64.diff_ids)]
    for wrong in (["--compression", "xz"], ["--compression", "gzip:12"]):
        failed = run(source, f"oci:{tmp_path / 'b'}:x", *wrong)
        assert failed.returncode == 2
        assert len(failed.stderr.strip().splitlines()) == 1
    failed = run(source, source)
    assert (failed.returncode, failed.stdout) == (2, "")
    assert "is the image to be copied" in failed.stderr
    assert names(tmp_path) == ["a", "source"]


def _with_attestation(folder: Path) -> tuple[Path, SampleIndex]:
    """A layout of an index as BuildKit makes it: an image and its attestation."""
    statement = Blob(ATTESTATION, json.dumps({"_type": "https://in-toto.io/Statement/v0.1"}).encode())
    config = Blob(media_types.OCI_CONFIG, b'{"architecture":"unknown","os":"unknown","rootfs":{}}')
    manifest = {
        "schemaVersion": 2,
        "mediaType": media_types.OCI_MANIFEST,
        "config": config.descriptor(),
        "layers": [statement.descriptor()],
    }
    attestation = Blob(media_types.OCI_MANIFEST, json.dumps(manifest).encode())
    annotations = {
        "vnd.docker.reference.type": "attestation-manifest",
        "vnd.docker.reference.digest": AMD64.manifest.digest,
    }
    platform = {"architecture": "unknown", "os": "unknown"}
    entries = [
        attestation.descriptor(annotations=annotations, platform=platform),
        AMD64.manifest.descriptor(platform={"architecture": "amd64", "os": "linux"}),
    ]
    raw = json.dumps({"schemaVersion": 2, "mediaType": media_types.OCI_INDEX, "manifests": entries}).encode()
    index = SampleIndex(Blob(media_types.OCI_INDEX, raw), (AMD64,))
    place = write_layout(folder, index)
    for blob in (statement, config, attestation):
        (place / "blobs" / blob.digest.replace(":", "/")).write_bytes(blob.data)
    return place, index
