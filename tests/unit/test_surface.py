from __future__ import annotations

from layers_by_hand import analysis_of, file, hard_link, link, program


def test_shells_are_what_can_be_run_as_one() -> None:
    layer = [
        file("usr/bin/busybox", b"x", 0o755),
        link("usr/bin/sh", "/usr/bin/busybox"),
        link("usr/bin/ash", "gone"),
        link("usr/bin/zsh", "zsh"),
        file("usr/bin/bash", b"x", 0o644),
        file("usr/share/bash-completion/completions/fish", b"x", 0o755),
        file("opt/tools/bin/dash", b"x", 0o755),
    ]
    assert analysis_of(layer).surface.shells == ("opt/tools/bin/dash", "usr/bin/busybox", "usr/bin/sh")


def test_set_user_id_files_have_all_their_names() -> None:
    layer = [
        file("usr/bin/su", b"x", 0o4755),
        hard_link("usr/bin/su2", "usr/bin/su"),
        file("usr/bin/wall", b"x", 0o2755),
        file("usr/bin/nobody-runs", b"x", 0o4644),
    ]
    assert analysis_of(layer).surface.setuid == ("usr/bin/su", "usr/bin/su2", "usr/bin/wall")


def test_executables_are_counted_once() -> None:
    layer = [
        file("a", b"x", 0o755),
        hard_link("b", "a"),
        file("c", b"x"),
        file("d", b"y", 0o100),
        program("e"),
    ]
    assert analysis_of(layer).surface.executables == 3


def test_packages_are_counted_by_ecosystem() -> None:
    database = b"P:musl\nV:1\nA:x86_64\n\nP:zlib\nV:1\nA:x86_64\n\n"
    assert analysis_of([file("lib/apk/db/installed", database)]).surface.packages == {"apk": 2}
