"""What is needed is followed from the roots on; each path once, with the chain that leads to it."""

from __future__ import annotations

from collections.abc import Iterable

from deadweight.evidence.closures import Quiet
from deadweight.evidence.model import Claim, Step
from deadweight.evidence.scene import Scene
from deadweight.evidence.walk import gather
from deadweight.inventory.model import Package
from deadweight.trace.observed import Use, observed
from deadweight.tree.node import Node
from debian_by_hand import Debian
from layers_by_hand import file, link
from scenes import needed, scene_of


class Words:
    """Files name what they need, a path in each line; those below ``decided`` stay only if one does."""

    name = "words"

    def open(self, scene: Scene) -> _Words:
        return _Words(scene)


class _Words(Quiet):
    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    def follow(self, node: Node) -> Iterable[Claim]:
        text = self._scene.text(node) or ""
        return [Claim(line, "words", f"named by {node.name}") for line in text.splitlines()]

    def decides(self, node: Node, owner: Package | None) -> bool:
        return node.path.startswith("decided/")


def test_a_chain_leads_back_to_the_root() -> None:
    scene = scene_of(
        file("decided/a", b"/decided/b\n"),
        file("decided/b", b"decided/c\n/decided/a\n/nowhere\n"),
        file("decided/c"),
        file("decided/d", b"/decided/c"),
    )
    evidence = needed(scene, ["/decided/a"], Words())
    assert set(evidence.reasons) == {"decided/a", "decided/b", "decided/c"}
    assert evidence.chain("decided/c") == (
        Step("decided/c", "words", "named by b"),
        Step("decided/b", "words", "named by a"),
        Step("decided/a", "root", "the test says so"),
    )
    assert evidence.chain("decided/d") == ()


def test_links_on_the_way_are_needed_and_nothing_outside_the_image() -> None:
    scene = scene_of(
        link("lib", "decided/lib"),
        link("decided/lib/so.1", "../../../../decided/lib/so.1.2"),
        file("decided/lib/so.1.2"),
        link("decided/loop", "loop"),
    )
    evidence = needed(scene, ["/lib/so.1", "/decided/loop"], Words())
    assert set(evidence.reasons) == {"lib", "decided/lib/so.1", "decided/lib/so.1.2"}


def test_what_no_package_owns_stays_unless_somebody_decides() -> None:
    debian = Debian().add("tool", file("usr/bin/tool"), file("usr/share/tool/data"))
    scene = scene_of(
        *debian.layer,
        file("srv/app/main", b"/decided/module"),
        file("decided/module"),
        file("decided/other"),
        link("etc/alternatives/tool", "/usr/bin/tool"),
        link("srv/current", "app/main"),
    )
    kept = set(needed(scene, [], Words()).reasons)
    assert {"srv/app/main", "srv/current", "decided/module"} <= kept
    assert not kept & {"decided/other", "usr/bin/tool", "usr/share/tool/data", "etc/alternatives/tool"}


def test_data_stays_with_its_package_and_with_who_depends_on_it() -> None:
    debian = (
        Debian()
        .add("web", file("decided/bin/web"), file("etc/web.conf"), file("decided/bin/admin"), depends="types")
        .add("types", file("etc/mime.types"), depends="more-types")
        .add("more-types", file("etc/more.types"))
        .add("other", file("etc/other.conf"))
    )
    evidence = needed(scene_of(*debian.layer), ["decided/bin/web"], Words())
    paths = {"decided/bin/web", "etc/web.conf", "etc/mime.types", "etc/more.types"}
    assert {path for path in evidence.reasons if not path.startswith("var/")} == paths
    assert evidence.reasons["etc/mime.types"].because == "types holds only data, and web depends on it"


def test_a_package_does_not_stay_for_its_licence_unless_it_has_nothing_else() -> None:
    licence = "usr/share/doc/{}/copyright".format
    debian = (
        Debian()
        .add("web", file("decided/bin/web"), depends="modules, base")
        .add("modules", file("decided/module"), file(licence("modules")))
        .add("base", file(licence("base")))
    )
    kept = set(needed(scene_of(*debian.layer), ["decided/bin/web"], Words()).reasons)
    assert licence("base") in kept
    assert licence("modules") not in kept


def test_a_directory_that_was_listed_keeps_its_entries_but_for_what_somebody_decides() -> None:
    debian = Debian().add(
        "tools",
        file("bin/data"),
        link("bin/other", "data"),
        link("bin/folder", "../share"),
        file("decided/git"),
        link("bin/git-link", "../decided/git"),
        file("share/table"),
    )
    seen = observed({Use.LISTED: {"bin": "/usr/bin/python"}})
    kept = set(gather(scene_of(*debian.layer), [], [Words()], observed=seen).reasons)
    assert {"bin", "bin/data", "bin/other", "bin/folder"} <= kept
    assert not kept & {"bin/git-link", "decided/git"}


def test_what_a_link_enables_in_the_configuration_of_a_package_stays_with_its_own() -> None:
    debian = (
        Debian()
        .add("web", file("decided/bin/web"), file("etc/web/web.conf"))
        .add("module", file("usr/share/web/module.conf"), file("usr/lib/web/module.so"))
        .add("other", file("usr/share/web/other.conf"), file("decided/bin/other"))
    )
    scene = scene_of(
        *debian.layer,
        link("etc/web/enabled/module.conf", "/usr/share/web/module.conf"),
        link("etc/web/enabled/other", "/decided/bin/other"),
        link("etc/elsewhere/other.conf", "/usr/share/web/other.conf"),
    )
    kept = set(needed(scene, ["decided/bin/web"], Words()).reasons)
    assert {"etc/web/enabled/module.conf", "usr/share/web/module.conf", "usr/lib/web/module.so"} <= kept
    assert not kept & {"usr/share/web/other.conf", "decided/bin/other", "etc/elsewhere/other.conf"}
