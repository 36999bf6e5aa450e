from __future__ import annotations

import gzip
import hashlib
import json
import random
import zlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deadweight.errors import DeadweightError, NotFound, UsageError
from deadweight.layer.compress import Compression
from deadweight.passes.staying import everything
from deadweight.passes.write import Written, write_filtered
from deadweight.transport.base import Access
from deadweight.transport.names import open_destination
from filtered_images import NONE, Opened, opened, write
from image_samples import write_layout
from layer_stacks import Item, tar_of
from services.images import Blob, sample_image, with_manifest
from services.images import write_layout as write_sample

NOISE = random.Random(1).randbytes(300_000)
LAYERS = [
    [Item("a", "f", b"alpha" * 100), Item("dead", "f", b"x" * 5000)],
    [Item("b", "f", b"beta"), Item(".wh.dead", "f")],
    [Item("etc/c", "f", b"gamma"), Item("etc/d", "f", b"delta")],
]
HISTORY = ("COPY a", "RUN b", "COPY c")


@pytest.fixture
def image(tmp_path: Path) -> str:
    return write_layout(tmp_path / "image", LAYERS, history=HISTORY, config={"Cmd": ["/a"]})


def documents(folder: Path, digest: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The manifest with a digest, and its config."""
    manifest = json.loads((folder / "blobs" / digest.replace(":", "/")).read_bytes())
    config = (folder / "blobs" / manifest["config"]["digest"].replace(":", "/")).read_bytes()
    return manifest, json.loads(config)


def contents(folder: Path) -> Mapping[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_is_dead_goes_and_what_does_not_change_keeps_its_digest(image: str, tmp_path: Path) -> None:
    with opened(image) as source:
        written = write(source, everything, NONE, tmp_path / "out")
        with opened(f"oci:{tmp_path / 'out'}:x") as result:
            assert [[entry.path for entry in index.entries] for index in result.indexes] == [
                ["a"],
                ["b"],
                ["etc/c", "etc/d"],
            ]
            assert result.image.layers[2].descriptor == source.image.layers[2].descriptor
    assert [layer.unchanged for layer in written.layers] == [False, False, True]
    assert [(layer.entries, layer.entries_kept) for layer in written.layers] == [(2, 1), (2, 1), (2, 2)]
    assert written.unpacked == len(b"alpha" * 100 + b"beta" + b"gamma" + b"delta")
    assert written.files == 4
    assert written.wire == sum(layer.written.size for layer in written.layers if layer.written)


def test_an_empty_layer_leaves_its_step_in_the_history(image: str, tmp_path: Path) -> None:
    with opened(image) as source:
        written = write(source, lambda node: node.path in ("a", "etc/d"), NONE, tmp_path / "out")
        old = json.loads(source.image.config_document.raw)
    manifest, config = documents(tmp_path / "out", written.digest)
    assert written.layers[1].written is None
    assert len(manifest["layers"]) == 2
    assert config.pop("history") == [
        {"created_by": "COPY a"},
        {"created_by": "RUN b", "empty_layer": True},
        {"created_by": "COPY c"},
    ]
    diff_ids = config.pop("rootfs")["diff_ids"]
    for layer, diff_id in zip(manifest["layers"], diff_ids, strict=True):
        blob = (tmp_path / "out" / "blobs" / layer["digest"].replace(":", "/")).read_bytes()
        assert diff_id == "sha256:" + hashlib.sha256(gzip.decompress(blob)).hexdigest()
    del old["history"], old["rootfs"]
    assert config == old


def test_an_image_that_loses_nothing_keeps_its_digest(tmp_path: Path) -> None:
    with opened(write_layout(tmp_path / "image", LAYERS[2:])) as source:
        written = write(source, everything, NONE, tmp_path / "out")
        assert written.digest == source.image.digest


@pytest.mark.parametrize("compression", [None, Compression("gzip", 6), Compression("zstd")])
def test_the_bytes_do_not_depend_on_threads(
    image: str, tmp_path: Path, compression: Compression | None
) -> None:
    with opened(image) as source:
        results = [
            write(
                source, everything, NONE, tmp_path / f"out{number}", compression=compression, threads=number
            )
            for number in (1, 2, 5)
        ]
    assert len({result.digest for result in results}) == 1
    written = [contents(tmp_path / f"out{number}") for number in (1, 2, 5)]
    assert written[0] == written[1] == written[2]


def test_a_layer_that_compression_does_not_make_smaller_keeps_its_bytes(tmp_path: Path) -> None:
    layers = [[Item("noise", "f", NOISE)], [Item("zeros", "f", bytes(50_000)), Item("more", "f", NOISE[:99])]]
    source = recompressed(tmp_path, layers, level=1)
    with opened(source) as image:
        written = write(image, everything, NONE, tmp_path / "out", compression=Compression("gzip", 9))
    noise, zeros = written.layers
    assert noise.unchanged or (noise.written is not None and noise.written.size < noise.original.size)
    assert not zeros.unchanged
    assert zeros.written is not None
    assert zeros.written.size < zeros.original.size


def recompressed(folder: Path, layers: list[list[Item]], level: int) -> str:
    """The same image as that of `write_layout`, its layers compressed by zlib at some level."""
    tars = [tar_of(layer) for layer in layers]
    blobs = []
    for raw in tars:
        codec = zlib.compressobj(level, zlib.DEFLATED, 31)
        blobs.append(Blob("application/vnd.oci.image.layer.v1.tar+gzip", codec.compress(raw) + codec.flush()))
    image = sample_image([{} for _ in layers])
    config = json.loads(image.config.data)
    diff_ids = ["sha256:" + hashlib.sha256(raw).hexdigest() for raw in tars]
    config["rootfs"]["diff_ids"] = diff_ids
    blob = Blob(image.config.media_type, json.dumps(config).encode())
    whole = with_manifest(replace(image, config=blob, layers=tuple(blobs), diff_ids=tuple(diff_ids)), "oci")
    return f"oci:{write_sample(folder / 'image', whole)}"


def test_it_is_not_larger_than_what_a_stronger_codec_wrote(tmp_path: Path) -> None:
    """One dead byte goes, and all that could be gained by that is less than what the codecs differ by."""
    text = b" ".join(b"%d" % number for number in random.Random(2).choices(range(50_000), k=60_000))
    layers = [
        [Item("dead", "f", b"1"), Item("text", "f", text), Item("noise", "f", NOISE)],
        [Item(".wh.dead", "f")],
    ]
    with opened(recompressed(tmp_path, layers, level=9)) as source:
        written = write(source, everything, NONE, tmp_path / "out")
        assert written.wire <= sum(layer.descriptor.size for layer in source.image.layers)
        with opened(f"oci:{tmp_path / 'out'}:x") as result:
            assert result.paths == source.paths


def test_what_must_go_from_what_a_stronger_codec_wrote_is_compressed_harder(tmp_path: Path) -> None:
    text = b" ".join(b"%d" % number for number in random.Random(2).choices(range(50_000), k=60_000))
    layers = [[Item("small", "f", NOISE[:9000]), Item("text", "f", text)]]
    with opened(recompressed(tmp_path, layers, level=6)) as source:
        written = write(source, lambda node: node.path == "text", NONE, tmp_path / "out")
        quick = write(
            source,
            lambda node: node.path == "text",
            NONE,
            tmp_path / "quick",
            compression=Compression("gzip", 1),
        )
        (layer,) = written.layers
        assert layer.written is not None
        assert layer.written.size <= layer.original.size
        assert quick.wire <= layer.original.size
        with opened(f"oci:{tmp_path / 'quick'}:x") as result:
            assert result.paths == {"", "text"}


def test_what_is_replaced_has_its_new_content_and_its_old_owner(image: str, tmp_path: Path) -> None:
    with opened(image) as source:
        write(source, everything, {"etc/c": b"new"}, tmp_path / "out")
        with opened(f"oci:{tmp_path / 'out'}:x") as result:
            old, new = source.merged.tree.files["etc/c"].entry, result.merged.tree.files["etc/c"].entry
            assert new == old._replace(size=3, digest=hashlib.sha256(b"new").digest(), start=new.start)


def test_base_layers_stay_as_they_are(image: str, tmp_path: Path) -> None:
    with opened(image) as source:
        written = write(source, lambda node: False, {}, tmp_path / "out", keep_layers=2)
        assert [layer.unchanged for layer in written.layers] == [True, True, False]
        with opened(f"oci:{tmp_path / 'out'}:x") as result:
            assert result.paths == {"", "a", "b"}


@pytest.mark.parametrize("keep_layers", [-1, 4])
def test_no_more_layers_can_be_kept_than_there_are(image: str, tmp_path: Path, keep_layers: int) -> None:
    with opened(image) as source, pytest.raises(UsageError, match="has 3 layers"):
        write(source, everything, NONE, tmp_path / "out", keep_layers=keep_layers)


@pytest.mark.parametrize("path", ["nothing", "dead", "b", "etc"])
def test_only_files_that_stay_can_be_replaced(image: str, tmp_path: Path, path: str) -> None:
    with opened(image) as source, pytest.raises(NotFound, match=path):
        write(source, lambda node: node.path != "b", {path: b"new"}, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_compression_that_the_destination_does_not_store_is_refused(image: str, tmp_path: Path) -> None:
    archive = f"docker-archive:{tmp_path / 'out.tar'}:x:y"
    with opened(image) as source, open_destination(archive, Access()) as destination:
        with pytest.raises(UsageError, match="as gzip"):
            filtered(source, destination, Compression("gzip"))
        with pytest.raises(UsageError, match="base layers cannot stay"):
            filtered(source, destination, None, keep_layers=1)
    assert not (tmp_path / "out.tar").exists()


def test_layers_become_what_the_destination_stores(image: str, tmp_path: Path) -> None:
    archive = f"docker-archive:{tmp_path / 'out.tar'}:x:y"
    with opened(image) as source:
        with open_destination(archive, Access()) as destination:
            filtered(source, destination, None)
        with opened(f"docker-archive:{tmp_path / 'out.tar'}") as result:
            assert result.paths == source.paths


def filtered(
    source: Opened, destination: Any, compression: Compression | None, keep_layers: int = 0
) -> Written:
    return write_filtered(
        source.image,
        source.indexes,
        source.merged,
        everything,
        NONE,
        destination,
        compression=compression,
        keep_layers=keep_layers,
    )


def test_a_layer_that_changed_since_it_was_indexed_leaves_nothing(image: str, tmp_path: Path) -> None:
    with opened(image) as source:
        blob = tmp_path / "image" / "blobs" / source.image.layers[1].descriptor.digest.replace(":", "/")
        blob.write_bytes(gzip.compress(bytes(10240), mtime=0))
        with pytest.raises(DeadweightError, match="layer sha256:"):
            write(source, everything, NONE, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["image"]


def test_a_content_is_carried_to_the_layer_of_the_name_that_is_left(tmp_path: Path) -> None:
    layers = [
        [Item("a", "f", b"content" * 1000), Item("z", "f", b"z")],
        [Item("b", "h", link="a"), Item("c", "h", link="b")],
        [Item(".wh.a", "f")],
    ]
    with opened(write_layout(tmp_path / "image", layers)) as source:
        written = write(source, lambda node: node.path != "z", NONE, tmp_path / "out")
        with opened(f"oci:{tmp_path / 'out'}:x") as result:
            (index,) = result.indexes
            assert [(entry.path, entry.kind, entry.link) for entry in index.entries] == [
                ("b", "f", ""),
                ("c", "h", "b"),
            ]
    assert [layer.written is None for layer in written.layers] == [True, False, True]
