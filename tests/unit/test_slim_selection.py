"""What stays at each level, and for which reason the rest goes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from deadweight.evidence.closures import Quiet
from deadweight.evidence.company import PROGRAM_FOLDERS
from deadweight.evidence.model import Claim
from deadweight.evidence.scene import Scene
from deadweight.inventory.model import Package
from deadweight.slimming.selection import (
    DROPPED,
    FILES,
    LOSSLESS,
    PACKAGES,
    UNREACHED,
    UNUSED_PACKAGE,
    Known,
    Selection,
    select,
)
from deadweight.tree.node import Node
from debian_by_hand import Debian
from layers_by_hand import Member, directory, file, hard_link, link
from scenes import needed, scene_of


class Programs:
    """Programs of packages stay only if they are reached."""

    name = "programs"

    def open(self, scene: Scene) -> _Programs:
        return _Programs()


class _Programs(Quiet):
    def follow(self, node: Node) -> Iterable[Claim]:
        return ()

    def decides(self, node: Node, owner: Package | None) -> bool:
        return owner is not None and node.path.rpartition("/")[0] in PROGRAM_FOLDERS


def debian() -> Debian:
    return (
        Debian()
        .add(
            "web",
            file("usr/sbin/web", 100),
            file("usr/sbin/webadmin", 50),
            file("etc/web.conf", 10),
            depends="libweb",
        )
        .add("libweb", file("usr/share/web/data", 30))
        .add("tool", file("usr/bin/tool", 70), file("etc/tool.conf", 5), file("usr/share/tool/x", 1))
        .add("base", file("usr/bin/ls", 40), essential=True)
    )


def selected(level: str, *more: Member, drop: tuple[str, ...] = (), **needless: Any) -> Selection:
    scene = scene_of(*debian().layer, *more)
    evidence = needed(scene, ["usr/sbin/web"], Programs())
    places: Mapping[str, str] = {path: kind for kind, paths in needless.items() for path in paths}
    return select(level, Known(scene, evidence, places, drop))


def gone(selection: Selection) -> dict[str, str]:
    return {removal.path: removal.kind for removal in selection.removals}


def test_lossless_drops_nothing() -> None:
    selection = selected(LOSSLESS, file("srv/app"), logs=["srv/app"])
    assert not selection.removals
    assert "usr/bin/tool" in selection.kept
    assert "usr/bin" in selection.kept


def test_packages_go_whole_unless_they_are_essential_or_asked_for() -> None:
    selection = selected(
        PACKAGES, file("usr/share/doc/web/README", 9), documentation=["usr/share/doc/web/README"]
    )
    assert gone(selection) == {
        "etc/tool.conf": UNUSED_PACKAGE,
        "usr/bin/tool": UNUSED_PACKAGE,
        "usr/share/tool/x": UNUSED_PACKAGE,
    }
    assert [package.name for package in selection.packages] == ["tool"]


def test_what_is_needless_by_its_place_goes_unless_it_is_claimed() -> None:
    selection = selected(PACKAGES, logs=["etc/tool.conf", "usr/sbin/web", "usr/sbin/webadmin"])
    assert gone(selection)["usr/sbin/webadmin"] == "logs"
    assert "usr/sbin/web" in selection.kept


def test_files_that_nothing_reaches_go() -> None:
    selection = selected(FILES, file("srv/app"))
    assert gone(selection) == {
        "etc/tool.conf": UNUSED_PACKAGE,
        "usr/bin/ls": UNUSED_PACKAGE,
        "usr/bin/tool": UNUSED_PACKAGE,
        "usr/sbin/webadmin": UNREACHED,
        "usr/share/tool/x": UNUSED_PACKAGE,
    }
    assert {"usr/share/web/data", "srv/app", "var/lib/dpkg/status"} <= selection.kept


def test_a_link_stays_while_it_leads_to_something() -> None:
    selection = selected(
        FILES,
        link("bin", "usr/bin"),
        link("etc/alternatives/web", "/usr/sbin/web"),
        link("usr/bin/x", "tool"),
    )
    assert {"bin", "etc/alternatives/web"} <= selection.kept
    assert gone(selection)["usr/bin/x"] == UNREACHED


def test_a_link_stays_that_leads_out_of_the_image() -> None:
    selection = selected(
        FILES,
        link("srv/uploads", "/data/uploads"),
        link("etc/mtab", "../proc/self/mounts"),
        link("usr/bin/circle", "circle"),
    )
    assert {"srv/uploads", "etc/mtab", "usr/bin/circle"} <= selection.kept


def test_directories_stay_that_somebody_may_write_into() -> None:
    selection = selected(
        FILES, directory("var/log/tool"), file("usr/share/doc/tool/README"), directory("usr/empty")
    )
    assert {"var/log/tool", "var/log", "usr/empty", "usr/sbin"} <= selection.kept
    assert not selection.kept & {"usr/share/tool", "usr/share/doc/none"}


@pytest.mark.parametrize("level", [LOSSLESS, PACKAGES, FILES])
def test_what_is_to_be_dropped_goes_at_every_level(level: str) -> None:
    selection = selected(level, drop=("/usr/sbin/w*", "/etc/web.conf"))
    assert gone(selection)["usr/sbin/web"] == DROPPED
    assert gone(selection)["etc/web.conf"] == DROPPED


def test_a_content_counts_once_and_not_while_it_has_a_name() -> None:
    selection = selected(FILES, hard_link("srv/ls", "usr/bin/ls"))
    sizes = {removal.path: removal.unpacked for removal in selection.removals}
    assert sizes["usr/bin/tool"] == 70
    assert "srv/ls" in selection.kept
    assert sizes["usr/bin/ls"] == 0
