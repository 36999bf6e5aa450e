"""The packages of real Alpine images, against apk itself."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from deadweight.image import open_image
from deadweight.inventory import elf
from deadweight.inventory.apk import ApkReader
from deadweight.inventory.model import Inventory
from deadweight.inventory.reader import Facts
from deadweight.inventory.take import collectors, take_inventory
from deadweight.layer.indexer import index_layer
from deadweight.tree.merge import merge
from deadweight.tree.node import Tree

pytestmark = pytest.mark.fixtures

MINIROOTFS = "alpine/alpine-minirootfs-3.20.3-x86_64.tar.gz"


def opened(path: Path) -> tuple[Tree, Facts]:
    with open_image(str(path)) as image:
        layers = [
            index_layer(image.open_layer(layer), layer.descriptor, layer.diff_id, collectors())
            for layer in image.layers
        ]
    tree = merge(layers).tree
    return tree, Facts(tree, layers)


def unowned(tree: Tree, inventory: Inventory) -> set[str]:
    """What no package brought, without the links to busybox that its script makes."""
    return {
        path
        for path, node in tree.walk()
        if node.children is None and node.entry.link != "/bin/busybox" and path not in inventory.owners
    }


class Apk:
    """The apk of an Alpine root file system, looking at that file system."""

    def __init__(self, root: Path) -> None:
        loader = root / "lib/ld-musl-x86_64.so.1"
        self._command: list[str | Path] = [
            loader,
            "--library-path",
            f"{root}/lib",
            root / "sbin/apk",
            "--root",
            root,
        ]

    def lines(self, *arguments: str) -> list[str]:
        run = subprocess.run([*self._command, *arguments], check=True, stdout=subprocess.PIPE, text=True)
        return [line for line in run.stdout.splitlines() if line and not line.endswith(":")]


@pytest.fixture(scope="module")
def apk(fixtures: Path, tmp_path_factory: pytest.TempPathFactory) -> Apk:
    root = tmp_path_factory.mktemp("minirootfs")
    subprocess.run(["tar", "-x", "-f", str(fixtures / MINIROOTFS), "-C", str(root)], check=True)
    return Apk(root)


@pytest.fixture(scope="module")
def minirootfs(fixtures: Path) -> tuple[Tree, Facts]:
    return opened(fixtures / MINIROOTFS)


def test_the_packages_are_those_that_apk_lists(minirootfs: tuple[Tree, Facts], apk: Apk) -> None:
    inventory = take_inventory(*minirootfs)
    assert inventory.distribution == "Alpine Linux v3.20"
    assert inventory.problems == ()
    assert len(inventory.packages) == 14
    assert [f"{package.name}-{package.version}" for package in inventory.packages] == sorted(
        apk.lines("info", "-v")
    )


def test_files_and_requirements_are_those_that_apk_lists(minirootfs: tuple[Tree, Facts], apk: Apk) -> None:
    for package in take_inventory(*minirootfs).packages:
        assert list(package.paths) == sorted(apk.lines("info", "-qL", package.name))
        required = {
            name.split(">")[0].split("=")[0].split("~")[0] for name in apk.lines("info", "-qR", package.name)
        }
        assert {name for (name,) in package.requires} == required


def test_what_was_asked_for(minirootfs: tuple[Tree, Facts]) -> None:
    wanted = {package.name for package in take_inventory(*minirootfs).packages if package.wanted}
    # musl-utils provides the libc-utils of the world.
    assert wanted == {"alpine-baselayout", "alpine-keys", "apk-tools", "busybox", "musl-utils"}


def test_every_requirement_is_met(minirootfs: tuple[Tree, Facts]) -> None:
    packages = take_inventory(*minirootfs).packages
    met = {name for package in packages for name in (package.name, *package.provides)}
    required = {name for package in packages for names in package.requires for name in names}
    assert required <= met


def test_only_the_databases_and_the_release_are_nobodys(minirootfs: tuple[Tree, Facts]) -> None:
    tree, facts = minirootfs
    assert unowned(tree, take_inventory(tree, facts)) == {
        "etc/alpine-release",
        "etc/apk/arch",
        "etc/apk/repositories",
        "etc/apk/world",
        "etc/issue",
        "etc/os-release",
        "etc/secfixes.d/alpine",
        "lib/apk/db/installed",
        "lib/apk/db/lock",
        "lib/apk/db/scripts.tar",
        "lib/apk/db/triggers",
    }


def test_every_library_that_is_needed_is_there(minirootfs: tuple[Tree, Facts]) -> None:
    tree, facts = minirootfs
    files = [elf.of(fact) for _, fact in facts.live(elf.COLLECTOR)]
    needed = {name for file in files if file is not None for name in file.needed}
    assert needed == {
        "libc.musl-x86_64.so.1",
        "libcrypto.so.3",
        "libssl.so.3",
        "libz.so.1",
        "libapk.so.2.14.0",
    }
    assert all(tree.resolve(f"lib/{name}") for name in needed)


def test_a_docker_archive_of_an_older_alpine(fixtures: Path) -> None:
    tree, facts = opened(fixtures / "trivy/alpine-310.tar.gz")
    inventory = take_inventory(tree, facts)
    assert inventory.distribution == "Alpine Linux v3.10"
    assert len(inventory.packages) == 14
    assert unowned(tree, inventory) == {
        "etc/alpine-release",
        "etc/apk/arch",
        "etc/apk/repositories",
        "etc/apk/world",
        "etc/issue",
        "etc/os-release",
        "lib/apk/db/installed",
        "lib/apk/db/lock",
        "lib/apk/db/scripts.tar",
        "lib/apk/db/triggers",
    }


def test_an_image_without_packages(fixtures: Path) -> None:
    tree, facts = opened(fixtures / "dive/test-docker-image.tar")
    inventory = take_inventory(tree, facts, (ApkReader(),))
    assert (inventory.packages, inventory.distribution, inventory.problems) == ((), "", ())
