"""Filtered images against those who read images and databases: umoci, dpkg, apk."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
from pathlib import Path

import pytest

from conftest import require_program
from deadweight.passes.staying import everything
from deadweight.tree.node import Node
from filtered_images import NONE, left_of, opened, with_databases, write
from image_samples import write_layout
from layer_stacks import Item

LAYERS = [
    [
        Item("etc", "d"),
        Item("etc/passwd", "f", b"root:x:0:0::/:/bin/sh\n"),
        Item("usr/bin/tool", "f", b"\x7fELF" + bytes(300_000)),
        Item("usr/bin/alias", "h", link="usr/bin/tool"),
        Item("usr/bin/other", "h", link="usr/bin/tool"),
        Item("bin", "l", link="usr/bin"),
        Item("gone", "f", b"gone"),
        Item("var/cache/a", "f", b"1"),
    ],
    [
        Item(".wh.gone", "f"),
        Item("bin/more", "f", b"more", mode=0o4755),
        Item("etc/passwd", "f", b"changed\n"),
        Item("usr/bin/.wh.tool", "f"),
        Item("var/cache", "f", b"no folder any more"),
    ],
    [Item("usr/bin/again", "h", link="bin/alias"), Item("usr/bin/.wh.alias", "f"), Item("opt/x", "f", b"x")],
]


def unpacked(reference: Path, bundle: Path) -> Path:
    """The root file system that umoci makes of the image ``x`` in a layout."""
    umoci = require_program("umoci")
    rootless = ["--rootless"] if os.geteuid() else []
    subprocess.run(
        [umoci, "unpack", *rootless, "--image", f"{reference}:x", str(bundle)],
        check=True,
        capture_output=True,
    )
    return bundle / "rootfs"


def listed(folder: Path) -> dict[str, tuple[object, ...]]:
    """Path -> type, mode, owner, time, number of names, content or target, of everything below `folder`."""
    found: dict[str, tuple[object, ...]] = {}
    for top, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(top, name)
            status = path.lstat()
            matter = str(path.readlink()) if path.is_symlink() else ""
            if stat.S_ISREG(status.st_mode):
                matter = hashlib.sha256(path.read_bytes()).hexdigest()
            names = 0 if stat.S_ISDIR(status.st_mode) else status.st_nlink
            found[str(path.relative_to(folder))] = (
                status.st_mode,
                status.st_uid,
                status.st_gid,
                names,
                matter,
                None if stat.S_ISDIR(status.st_mode) else status.st_mtime_ns,
            )
    return found


@pytest.mark.parametrize("keep_layers", [0, 1])
def test_umoci_unpacks_the_same_without_loss(tmp_path: Path, keep_layers: int) -> None:
    source = write_layout(tmp_path / "image", LAYERS)
    with opened(source) as image:
        before = write(image, everything, NONE, tmp_path / "whole", keep_layers=3)
        after = write(image, everything, NONE, tmp_path / "less", keep_layers=keep_layers)
    assert before.digest == image.image.digest
    assert after.unpacked <= before.unpacked
    whole = listed(unpacked(tmp_path / "whole", tmp_path / "bundle"))
    assert listed(unpacked(tmp_path / "less", tmp_path / "other")) == whole


def test_umoci_unpacks_what_is_kept(tmp_path: Path) -> None:
    source = write_layout(tmp_path / "image", LAYERS)
    kept = {"usr/bin/again", "usr/bin/more", "etc/passwd"}
    with opened(source) as image:
        write(image, everything, NONE, tmp_path / "whole", keep_layers=3)
        write(image, lambda node: node.path in kept, NONE, tmp_path / "less")
    whole = listed(unpacked(tmp_path / "whole", tmp_path / "bundle"))
    parents = {"usr", "usr/bin", "etc"}
    expected = {path: entry for path, entry in whole.items() if path in kept | parents}
    expected["usr/bin/again"] = (*expected["usr/bin/again"][:3], 1, *expected["usr/bin/again"][4:])
    assert listed(unpacked(tmp_path / "less", tmp_path / "other")) == expected


def lines(*command: str | Path) -> list[str]:
    """What a program says, without a complaint."""
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_dpkg_reads_what_is_left_of_a_real_database(tmp_path: Path, debian: str) -> None:
    """Every second package goes, and most documentation; Python distributions of Debian's packages among them."""
    dpkg, dpkg_query = require_program("dpkg"), require_program("dpkg-query")
    with opened(debian) as image:
        packages = image.inventory.packages
        gone = {path for package in packages[::2] for path in package.paths}

        def kept(node: Node) -> bool:
            return node.path not in gone and not node.path.startswith("usr/share/doc/")

        written = with_databases(image, kept, tmp_path / "less")
        assert written.unpacked < sum(index.unpacked for index in image.indexes)
        assert written.wire < sum(index.blob_size for index in image.indexes)
        with opened(f"oci:{tmp_path / 'less'}:x") as result:
            left = left_of(image.inventory, result.paths)
            assert len(left) < len(packages) * 3 / 4
            assert result.inventory.packages == tuple(left)
            assert result.inventory.problems == ()
            names = [package.name for package in left if package.ecosystem == "deb"]
    root = unpacked(tmp_path / "less", tmp_path / "bundle")
    database = f"--admindir={root}/var/lib/dpkg"
    assert sorted(lines(dpkg_query, database, "--show", "--showformat=${Package}\n")) == sorted(names)
    for line in lines(dpkg_query, database, "--listfiles", *names):
        if line.startswith("/"):
            assert os.path.lexists(f"{root}/{line}"), line
    changed = lines(dpkg, f"--root={root}", "--verify")
    # Nothing is missing, or other than it was, but for Python's own lists of files, which name what is left.
    assert [line for line in changed if not line.endswith("-info/RECORD")] == []


def test_packages_that_keep_all_they_have_stay_listed(tmp_path: Path, debian: str) -> None:
    with opened(debian) as image:
        with_databases(image, everything, tmp_path / "same")
        with opened(f"oci:{tmp_path / 'same'}:x") as result:
            assert result.inventory.packages == image.inventory.packages
            assert result.paths == image.paths


@pytest.mark.fixtures
def test_apk_reads_what_is_left_of_a_real_database(tmp_path: Path, fixtures: Path) -> None:
    source = str(fixtures / "alpine/alpine-minirootfs-3.20.3-x86_64.tar.gz")
    with opened(source) as image:
        gone = {
            path
            for package in image.inventory.packages
            if package.name in ("busybox", "ssl_client", "alpine-keys")
            for path in package.paths
        } | {"etc/motd", "etc/shells"}
        with_databases(image, lambda node: node.path not in gone, tmp_path / "less")
        with opened(f"oci:{tmp_path / 'less'}:x") as result:
            left = left_of(image.inventory, result.paths)
            wanted = {package.name for package in left} - {"busybox"}
            assert {package.name for package in result.inventory.packages} == wanted
            assert [package.paths for package in result.inventory.packages] == [p.paths for p in left]
    root = unpacked(tmp_path / "less", tmp_path / "bundle")
    apk: list[str | Path] = [root / "lib/ld-musl-x86_64.so.1", "--library-path", f"{root}/lib"]
    apk += [root / "sbin/apk", "--repositories-file", "/dev/null", "--root", root]
    assert set(lines(*apk, "info")) == wanted
    # A file that is gone, or another one, would be named.
    assert lines(*apk, "audit", "--system") == []
    assert b"busybox" not in (root / "lib/apk/db/scripts.tar").read_bytes()
    assert (root / "lib/apk/db/triggers").read_bytes() == b""
    assert "busybox" not in (root / "etc/apk/world").read_text()
