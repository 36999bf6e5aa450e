"""What a failed result had looked for, and what of that was removed."""

from __future__ import annotations

from deadweight.slimming.missing import missed
from deadweight.slimming.selection import DROPPED, FILES, Known, select
from layers_by_hand import Member, file, link
from scenes import needed, scene_of

MEMBERS: tuple[Member, ...] = (
    file("etc/kept", 3),
    file("etc/gone", 4),
    link("etc/to-gone", "gone"),
    link("etc/to-kept", "kept"),
    link("lib", "usr/lib"),
    file("usr/lib/gone", 5),
    file("usr/share/plugins/b", 6),
    file("usr/share/plugins/a", 7),
    file("usr/share/other", 8),
)
DROP = ("/etc/gone", "/etc/to-*", "/usr/lib/gone", "/usr/share/plugins/*")


def found(*asked: str) -> list[tuple[str, int]]:
    """Path and unpacked bytes of what went, for what was asked for."""
    scene = scene_of(*MEMBERS)
    selection = select(FILES, Known(scene, needed(scene, ()), {}, DROP))
    removals = missed(asked, scene, selection)
    assert all(removal.kind == DROPPED for removal in removals)
    return [(removal.path, removal.unpacked) for removal in removals]


def test_only_what_was_there_and_was_removed() -> None:
    assert found("/etc/gone", "/etc/kept", "/nowhere", "/etc/gone/below", "/usr/share/other") == [
        ("etc/gone", 4)
    ]


def test_links_on_the_way_are_followed_and_missed_too() -> None:
    assert found("/lib/gone") == [("usr/lib/gone", 5)]
    assert found("/etc/to-gone") == [("etc/gone", 4), ("etc/to-gone", 0)]
    assert found("/etc/to-kept") == [("etc/to-kept", 0)]
    assert found("/lib/../share/plugins/a") == [("usr/share/plugins/a", 7)]


def test_a_directory_is_told_once() -> None:
    assert found("/usr/share/plugins", "/usr/share") == [("usr/share/plugins", 0)]
