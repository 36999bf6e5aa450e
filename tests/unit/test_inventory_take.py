from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from deadweight.errors import LimitExceeded, UsageError
from deadweight.inventory import reader as reader_module
from deadweight.inventory.model import DEB, PYTHON, Inventory, Package
from deadweight.inventory.reader import Facts, Locator, Problem, Reader
from deadweight.inventory.readers import READERS, installed_readers
from deadweight.inventory.system import COLLECTOR
from deadweight.inventory.take import collectors, take_inventory
from deadweight.layer.collect import Collector
from deadweight.tree.merge import merge
from deadweight.tree.node import Tree
from language_samples import Files, index, inventory_of, layer_tar


class Fixed:
    """Finds what it was given, wherever."""

    collectors: Sequence[Collector] = ()

    def __init__(self, *found: Package | Problem) -> None:
        self._found = found

    def read(self, tree: Tree, facts: Facts) -> Iterator[Package | Problem]:
        yield from self._found


def inventory_by(*readers: Reader) -> Inventory:
    """The inventory of an empty image."""
    tree = merge([]).tree
    return take_inventory(tree, Facts(tree, []), readers)


def tree_of(*layers: Files) -> tuple[Tree, Facts]:
    indexes = [index(layer_tar(files), ()) for files in layers]
    tree = merge(indexes).tree
    return tree, Facts(tree, indexes)


def test_the_first_reader_owns_then_the_first_package() -> None:
    first = Fixed(Package(PYTHON, "b", "1", "s", ("x", "y")), Package(PYTHON, "a", "1", "s", ("y", "z")))
    second = Fixed(Package(DEB, "c", "1", "s", ("x", "y", "z", "w")))
    inventory = inventory_by(first, second)
    assert {path: owner.name for path, owner in inventory.owners.items()} == {
        "x": "b",
        "y": "a",
        "z": "a",
        "w": "c",
    }
    assert [package.name for package in inventory.packages] == ["c", "a", "b"]


def test_problems_are_sorted_and_name_their_path() -> None:
    inventory = inventory_by(Fixed(Problem("z", "is broken")), Fixed(Problem("a", "is cut off")))
    assert inventory.problems == ("a: is cut off", "z: is broken")


def test_a_removed_package_owns_but_is_not_installed() -> None:
    inventory = inventory_by(Fixed(Package(DEB, "gone", "1", "s", ("etc/x",), removed=True)))
    assert inventory.packages == ()
    assert inventory.owners["etc/x"].name == "gone"


def test_system_packages_come_before_those_of_languages() -> None:
    names = [type(reader).__name__ for reader in READERS]
    assert names[:3] == ["ApkReader", "DpkgReader", "RpmReader"]


def test_each_collector_is_there_once() -> None:
    names = [collector.name for collector in collectors()]
    assert len(names) == len(set(names))
    assert {"os-release", "elf", "apk", "dpkg", "rpm"} <= set(names)
    assert collectors((*READERS, *READERS)) == collectors()


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"etc/os-release": 'NAME=x\nPRETTY_NAME="Debian \\"12\\""\n'}, 'Debian "12"'),
        (
            {"etc/os-release": "-> ../usr/lib/os-release", "usr/lib/os-release": "PRETTY_NAME='Alpine 3'\n"},
            "Alpine 3",
        ),
        ({"usr/lib/os-release": "# PRETTY_NAME=no\nPRETTY_NAME=Wolfi\n"}, "Wolfi"),
        ({"etc/os-release": "PRETTY_NAME=\x1b[31m\n"}, ""),
        ({"etc/os-release": "NAME=x\n"}, ""),
        ({"etc/os-release": "-> os-release"}, ""),
        ({"srv/etc/os-release": "PRETTY_NAME=other\n"}, ""),
    ],
)
def test_the_name_of_the_distribution(files: Files, expected: str) -> None:
    assert inventory_of(Fixed(), layer_tar(files)).distribution == expected


def test_facts_are_those_of_visible_contents_under_every_name() -> None:
    tree, facts = tree_of(
        {"a/os-release": "V=1", "b/link": "=> a/os-release", "c/os-release": "V=2", "d/os-release": "V=3"},
        {"a/.wh.os-release": b"", "c/os-release": "V=4", "e": "-> d/os-release"},
    )
    assert list(facts.live(COLLECTOR)) == [
        ("b/link", {"V": "1"}),
        ("c/os-release", {"V": "4"}),
        ("d/os-release", {"V": "3"}),
    ]
    link = tree.find("e")
    folder = tree.find("a")
    assert link is not None
    assert folder is not None
    assert (facts.of(COLLECTOR, link), facts.of(COLLECTOR, folder)) == (None, None)


def test_real_paths() -> None:
    tree, _ = tree_of(
        {
            "usr/lib/x/file": b"1",
            "usr/lib/x/dangling": "-> nowhere",
            "lib": "-> usr/lib",
            "up": "-> ../../usr",
            "loop": "-> loop",
            "top": b"1",
        }
    )
    locator = Locator(tree)
    paths = [
        "/lib/x/file",
        "up/lib/x/file",
        "usr/lib/x",
        "/top",
        "loop/x",
        "none/x",
        "top/x",
        "lib/x/dangling",
        "",
        "/",
    ]
    assert locator.owned(paths) == ("top", "usr/lib/x/dangling", "usr/lib/x/file")
    assert locator.real("/up/lib/../lib/x/file") == "usr/lib/x/file"
    assert locator.real("usr/lib/x") is None
    assert locator.real("usr/none") is None


def test_packages_cannot_claim_more_than_memory_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader_module, "MAX_CLAIMED", 10)
    tree, _ = tree_of({"usr/lib/file": b"1", "usr/x": b""})
    locator = Locator(tree)
    assert locator.owned(["usr/x"] * 100) == ("usr/x",)
    with pytest.raises(LimitExceeded, match="claim more than 10 bytes of paths"):
        locator.owned(["usr/lib/file"])


def test_readers_of_other_distributions_come_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _offer(tmp_path, "other_readers:READER")
    (tmp_path / "other_readers.py").write_text("READER = object()\n")
    monkeypatch.syspath_prepend(tmp_path)
    readers: tuple[Reader, ...] = installed_readers()
    assert readers[: len(READERS)] == READERS
    assert len(readers) == len(READERS) + 1


@pytest.mark.parametrize("value", ["no_such_module_here:READER", "json:NO_SUCH_READER"])
def test_a_reader_that_cannot_be_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    _offer(tmp_path, value)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UsageError, match="entry point mine: offers a reader that cannot be imported"):
        installed_readers()


def _offer(folder: Path, value: str) -> None:
    metadata = folder / "other-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[deadweight.inventory]\nmine = {value}\n")
