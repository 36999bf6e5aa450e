"""Several images slimmed at once: as a family whose layers stay shared, and as the images of an index."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from busybox_images import busybox_layer
from conftest import require_program
from deadweight.errors import UsageError
from deadweight.image import Image, open_image, open_images
from deadweight.indexing import index_image
from deadweight.probe.workload import Workload
from deadweight.slimming.family import slim_family
from deadweight.slimming.platforms import slim_platforms
from deadweight.slimming.request import Request
from deadweight.tree.merge import merge
from image_samples import debian_layer, dpkg_package, write_layout
from layer_stacks import Item

JOB = Request(workloads=(Workload(ends=True),))


def base() -> list[Item]:
    require_program("strace")
    packages = (
        dpkg_package("common", "1", {"usr/share/common/data": b"both\n"}),
        dpkg_package("extra", "1", {"usr/share/extra/data": b"only one\n"}),
        dpkg_package("tool", "1", {"usr/share/tool/data": b"nobody" * 1000}),
    )
    return [*busybox_layer(), *debian_layer(*packages)]


def job(folder: Path, text: str) -> str:
    """An image that runs a script; its lower layer is `base`."""
    script = Item("usr/local/bin/job", "f", f"#!/bin/sh\n{text}\n".encode(), mode=0o755)
    return write_layout(folder, [base(), [script]], config={"Cmd": ["/usr/local/bin/job"]})


def files(image: Image) -> set[str]:
    return set(merge(index_image(image)).tree.files)


def test_layers_that_are_shared_stay_shared(tmp_path: Path) -> None:
    one = job(tmp_path / "one", "cat /usr/share/common/data")
    two = job(tmp_path / "two", 'cat /usr/share/common/data /usr/share/extra/data; echo "$HOSTNAME"')
    to = [f"oci:{tmp_path}/small-one", f"oci:{tmp_path}/small-two"]
    results = slim_family([one, two], to, JOB)
    assert [result.attempt.level for result in results] == ["files", "files"]
    with open_image(to[0]) as first, open_image(to[1]) as second, open_image(one) as original:
        assert [len(image.layers) for image in (first, second)] == [2, 2]
        assert first.layers[0].descriptor.digest == second.layers[0].descriptor.digest
        assert first.layers[0].diff_id != original.layers[0].diff_id
        assert first.layers[1].diff_id == original.layers[1].diff_id
        # What only one of them needs stays in both, since it lies in the layer that they share.
        assert files(first) == files(second)
        assert {"usr/share/common/data", "usr/share/extra/data"} <= files(first)
        assert "usr/share/tool/data" not in files(first)


def test_images_that_share_nothing_are_slimmed_one_by_one(tmp_path: Path) -> None:
    one = job(tmp_path / "one", "cat /usr/share/common/data")
    script = Item("job", "f", b"#!/bin/sh\necho alone\n", mode=0o755)
    two = write_layout(tmp_path / "two", [[script, *base()]], config={"Cmd": ["/job"]})
    to = [f"oci:{tmp_path}/small-one", f"oci:{tmp_path}/small-two"]
    slim_family([one, two], to, JOB)
    with open_image(to[0]) as first, open_image(to[1]) as second:
        assert "usr/share/common/data" in files(first)
        assert "usr/share/common/data" not in files(second)


def test_all_are_written_or_none(tmp_path: Path) -> None:
    one = job(tmp_path / "one", "cat /usr/share/common/data")
    two = job(tmp_path / "two", "cat /usr/share/extra/data")
    request = Request(workloads=(Workload(ends=True),), drop=("/usr/share/extra/*",))
    results = slim_family([one, two], [f"oci:{tmp_path}/a", f"oci:{tmp_path}/b"], request)
    assert [result.digest for result in results] == [None, None]
    assert not (tmp_path / "a").exists()
    assert not (tmp_path / "b").exists()


def test_a_family_in_one_new_layout(tmp_path: Path) -> None:
    one = job(tmp_path / "one", "cat /usr/share/common/data")
    two = job(tmp_path / "two", "cat /usr/share/extra/data")
    to = [f"oci:{tmp_path}/both:one", f"oci:{tmp_path}/both:two"]
    slim_family([one, two], to, JOB)
    with open_image(to[0]) as first, open_image(to[1]) as second:
        assert first.layers[0].descriptor == second.layers[0].descriptor
        assert first.layers[-1].descriptor != second.layers[-1].descriptor


@pytest.mark.parametrize(
    ("one", "other"), [("oci:a", "oci:./a"), ("docker-archive:a:x", "docker-archive:a:y")]
)
def test_no_image_is_written_over_another_of_the_family(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one: str, other: str
) -> None:
    monkeypatch.chdir(tmp_path)
    images = [job(tmp_path / "one", "true"), job(tmp_path / "two", "false")]
    with pytest.raises(UsageError, match="would hold two images"):
        slim_family(images, [one, other], JOB)
    assert not (tmp_path / "a").exists()


def test_each_image_needs_a_destination(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="images: 2, destinations: 1; give one for each image"):
        slim_family(["oci:a", "oci:b"], [f"oci:{tmp_path}/a"])


def test_an_index_gets_an_index_whose_other_platforms_are_not_proved(tmp_path: Path) -> None:
    folder = tmp_path / "both"
    job(folder, "cat /usr/share/common/data")
    add_platform(folder, "arm64")
    results = slim_platforms(f"oci:{folder}", f"oci:{tmp_path}/small", JOB)
    assert [(result.platform, result.attempt.level) for result in results] == [
        ("linux/amd64", "files"),
        ("linux/arm64", "packages"),
    ]
    assert "is for linux/arm64" in results[1].attempt.proof.why_none
    with open_images(f"oci:{tmp_path}/small") as images:
        assert [str(image.platform) for image in images] == ["linux/amd64", "linux/arm64"]
        assert all("usr/share/tool/data" not in files(image) for image in images)


def add_platform(folder: Path, architecture: str) -> None:
    """Makes the layout's image one of two: the other says that it is for `architecture`."""
    blobs = folder / "blobs" / "sha256"

    def put(value: Any) -> tuple[str, int]:
        data = json.dumps(value).encode()
        name = hashlib.sha256(data).hexdigest()
        (blobs / name).write_bytes(data)
        return f"sha256:{name}", len(data)

    def get(digest: str) -> Any:
        return json.loads((blobs / digest.removeprefix("sha256:")).read_bytes())

    index = json.loads((folder / "index.json").read_bytes())
    (entry,) = index["manifests"]
    manifest = get(entry["digest"])
    config = get(manifest["config"]["digest"])
    digest, size = put({**config, "architecture": architecture})
    digest, size = put({**manifest, "config": {**manifest["config"], "digest": digest, "size": size}})
    other = {
        **entry,
        "digest": digest,
        "size": size,
        "platform": {"os": "linux", "architecture": architecture},
    }
    entry["platform"] = {"os": "linux", "architecture": "amd64"}
    inner = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [entry, other],
    }
    digest, size = put(inner)
    root = {"mediaType": inner["mediaType"], "digest": digest, "size": size}
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [root]}))
