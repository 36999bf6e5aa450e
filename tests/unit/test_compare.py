"""What grew between two images, and who brought it."""

from __future__ import annotations

from pathlib import Path

import pytest

from deadweight import analyze, open_image
from deadweight.accounting.model import Analysis
from deadweight.compare.compare import compare, registry_size
from image_samples import debian_layer, dpkg_package, write_layout
from layer_stacks import Item


def analysis_of(reference: str) -> Analysis:
    with open_image(reference) as image:
        return analyze(image)


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Analysis, Analysis]:
    """A release and the next: one package newer and larger, one gone, one new, a stray file, a changed setting."""
    base = [Item("etc/base", "f", b"base" * 100)]
    old = debian_layer(
        dpkg_package("lib", "1.0", {"usr/lib/lib.so": b"x" * 1000}),
        dpkg_package("gone", "3", {"usr/bin/gone": b"g" * 300}),
    )
    new = debian_layer(
        dpkg_package("lib", "1.1", {"usr/lib/lib.so": b"y" * 5000}),
        dpkg_package("fresh", "7", {"usr/bin/fresh": b"f" * 200}),
    )
    first = write_layout(
        tmp_path / "old", [base, [*old, Item("etc/app", "f", b"a")]], history=["ADD base", "RUN old"]
    )
    second = write_layout(
        tmp_path / "new", [base, [*new, Item("etc/app", "f", b"bb"), Item("srv/stray", "f", b"s" * 50)]],
        history=["ADD base", "RUN new"],
    )  # fmt: skip
    return analysis_of(first), analysis_of(second)


def test_deltas_add_up_to_the_change_of_live_bytes(pair: tuple[Analysis, Analysis]) -> None:
    result = compare(*pair)
    assert sum(change.delta for change in result.files) == result.new.live - result.old.live
    by_package = sum(change.delta for change in result.packages) + result.unowned
    assert by_package == result.new.live - result.old.live


def test_packages_are_told_with_their_versions(pair: tuple[Analysis, Analysis]) -> None:
    packages = {change.label: change for change in compare(*pair).packages}
    assert set(packages) == {"deb:lib", "deb:gone", "deb:fresh"}
    lib = packages["deb:lib"]
    assert (lib.kind, lib.old_version, lib.new_version, lib.delta) == ("changed", "1.0", "1.1", 4000)
    assert packages["deb:gone"].kind == "removed"
    assert packages["deb:fresh"].kind == "added"
    assert next(iter(compare(*pair).packages)).label == "deb:lib"


def test_files_and_directories_largest_first(pair: tuple[Analysis, Analysis]) -> None:
    result = compare(*pair)
    first = result.files[0]
    assert (first.path, first.kind, first.delta, first.owner) == (
        "usr/lib/lib.so",
        "changed",
        4000,
        "deb:lib",
    )
    stray = next(change for change in result.files if change.path == "srv/stray")
    assert (stray.kind, stray.owner) == ("added", "")
    deltas = {change.path: change.delta for change in result.directories}
    assert deltas["usr/lib"] == 4000
    assert deltas["usr"] == 3900
    assert deltas["srv"] == 50


def test_a_directory_that_only_repeats_the_one_below_it_is_left_out(tmp_path: Path) -> None:
    old = analysis_of(write_layout(tmp_path / "a", [[Item("a/b/c/f", "f", b"1")]]))
    new = analysis_of(write_layout(tmp_path / "b", [[Item("a/b/c/f", "f", b"22")]]))
    assert [change.path for change in compare(old, new).directories] == ["a/b/c"]


def test_shared_layers_are_told_from_new_ones(pair: tuple[Analysis, Analysis]) -> None:
    result = compare(*pair)
    assert result.shared_layers == 1
    assert [(change.kind, change.instruction) for change in result.layers] == [
        ("removed", "RUN old"),
        ("added", "RUN new"),
    ]


def test_a_registry_keeps_shared_layers_once(pair: tuple[Analysis, Analysis]) -> None:
    both = registry_size(pair)
    assert both.unpacked == sum(one.unpacked for one in pair) - 400
    shared = pair[0].layers[0].wire
    assert shared is not None
    assert both.wire == sum(one.wire or 0 for one in pair) - shared


def test_an_image_is_like_itself(pair: tuple[Analysis, Analysis]) -> None:
    same = compare(pair[0], pair[0])
    assert (same.files, same.packages, same.directories, same.layers) == ((), (), (), ())


def test_hard_links_count_once(tmp_path: Path) -> None:
    old = analysis_of(write_layout(tmp_path / "a", [[Item("z", "f", b"12345")]]))
    new = analysis_of(write_layout(tmp_path / "b", [[Item("z", "f", b"12345"), Item("a", "h", b"", "z")]]))
    assert sum(change.delta for change in compare(old, new).files) == 0
