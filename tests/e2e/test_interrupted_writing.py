"""A writer killed at any moment leaves the old destination or the new one, never half."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from archive_samples import (
    ANYWHERE,
    docker_members,
    entry,
    layout_members,
    no_leftovers,
    tar_of,
    write_members,
)
from conftest import ROOT
from deadweight.errors import NotFound
from deadweight.transport.names import open_destination, open_source
from e2e.killed_writer import new_image
from services.images import sample_image
from services.transfer import pulled, push

MOMENTS = 50
OLD = sample_image(compression="uncompressed")
LAYOUT = layout_members([OLD], [entry(OLD, "tag")])


def make_nothing(folder: Path) -> None:
    """The destination is new."""


def make_layout(folder: Path) -> None:
    write_members(folder / "x", LAYOUT)


def make_oci_archive(folder: Path) -> None:
    (folder / "x").write_bytes(tar_of(LAYOUT))


def make_docker_archive(folder: Path) -> None:
    (folder / "x").write_bytes(tar_of(docker_members({"tag": OLD})))


def make_folder(folder: Path) -> None:
    parts = {blob.digest[7:]: blob.data for blob in (*OLD.layers, OLD.config)}
    more = {"manifest.json": OLD.manifest.data, "version": b"Directory Transport Version: 1.1\n"}
    write_members(folder / "x", parts | more)


PLACES = [
    ("oci:{}/x:tag", make_nothing),
    ("oci:{}/x:tag", make_layout),
    ("oci-archive:{}/x:tag", make_nothing),
    ("oci-archive:{}/x:tag", make_oci_archive),
    ("docker-archive:{}/x:tag", make_nothing),
    ("docker-archive:{}/x:tag", make_docker_archive),
    ("dir:{}/x", make_nothing),
    ("dir:{}/x", make_folder),
]


def killed(*targets: str) -> list[tuple[int, int]]:
    """Runs the writer on each ``NUMBER TARGET``; what those that were not killed printed."""
    paths = [str(ROOT / "tests"), str(ROOT / "src")]
    done = subprocess.run(
        [sys.executable, "-P", str(ROOT / "tests/e2e/killed_writer.py"), *targets],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        check=True,
    )
    return [(int(line.split()[0]), int(line.split()[1])) for line in done.stdout.splitlines()]


def layers_and_config(target: str) -> dict[str, bytes]:
    """All content but the manifest, which a docker archive does not keep; nothing where there is no image."""
    try:
        with open_source(target, ANYWHERE) as source:
            found = pulled(source)
            del found[str(source.root().descriptor.digest)]
            return found
    except NotFound:
        return {}


@pytest.mark.parametrize(("place", "make_old"), PLACES)
def test_the_old_or_the_new(tmp_path: Path, place: str, make_old: object) -> None:
    assert callable(make_old)
    make_old(tmp_path)
    old = layers_and_config(place.format(tmp_path))
    image = new_image("uncompressed" if "docker" in place else "gzip")
    new = {blob.digest: blob.data for blob in (*image.layers, image.config)}
    (tmp_path / "trial").mkdir()
    make_old(tmp_path / "trial")
    ((commit, last),) = killed(f"0 {place.format(tmp_path / 'trial')}")

    # Half of the moments before the commit begins, half from then on.
    half = MOMENTS // 2
    moments = [1 + number * commit // half for number in range(half)]
    moments += [commit + 1 + number * (last - commit) // half for number in range(half)]
    folders = [tmp_path / str(moment) for moment in moments]
    for folder in folders:
        folder.mkdir()
        make_old(folder)
    printed = killed(
        *(f"{moment} {place.format(folder)}" for moment, folder in zip(moments, folders, strict=True))
    )
    assert printed == []  # all were killed

    seen = []
    for folder in folders:
        found = layers_and_config(place.format(folder))
        assert found in (old, new)
        assert found or not (folder / "x").exists()
        seen.append(found == new)
    assert seen[0] is False
    assert seen[-1] is True
    assert seen == sorted(seen)  # once it is new it stays so

    for folder in folders[::7]:
        with open_destination(place.format(folder), ANYWHERE) as destination:
            push(destination, image)
        assert layers_and_config(place.format(folder)) == new
        assert no_leftovers(folder)
