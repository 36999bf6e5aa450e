"""What the build information of Go programs makes packages of. Real programs are in the end-to-end tests."""

from __future__ import annotations

from deadweight.inventory.go_build import GoBuild, GoModule
from deadweight.inventory.golang import packages

BUILD = GoBuild(
    version="go1.22.1",
    path="example.com/tool/cmd/tool",
    module=GoModule("example.com/tool", "(devel)"),
    dependencies=(
        GoModule("example.com/b", "v1.0.0"),
        GoModule("example.com/a", "v2.0.0", GoModule("example.com/fork", "v2.0.1")),
        GoModule("example.com/c", "v3.0.0", GoModule("../c", "(devel)")),
    ),
)


def test_the_main_module_owns_the_program_and_the_others_nothing() -> None:
    main, *linked = packages(BUILD, ("usr/bin/link", "usr/bin/tool"))
    assert (main.ecosystem, main.name, main.version) == ("go", "example.com/tool", "(devel)")
    assert main.paths == ("usr/bin/link", "usr/bin/tool")
    assert main.requires == (("example.com/b",), ("example.com/fork",), ("example.com/c",), ("stdlib",))
    assert [(package.name, package.version) for package in linked] == [
        ("example.com/b", "v1.0.0"),
        ("example.com/fork", "v2.0.1"),
        ("example.com/c", "v3.0.0"),
        ("stdlib", "go1.22.1"),
    ]
    assert {(package.source, package.paths) for package in linked} == {("usr/bin/link", ())}


def test_a_program_built_from_files_is_named_by_its_path() -> None:
    main, stdlib = packages(GoBuild("go1.17", "command-line-arguments"), ("tool",))
    assert (main.name, main.version, main.paths) == ("command-line-arguments", "", ("tool",))
    assert stdlib.name == "stdlib"


def test_a_program_without_any_name_has_a_standard_library() -> None:
    assert [package.name for package in packages(GoBuild("go1.10"), ("tool",))] == ["stdlib"]


def test_names_that_no_terminal_should_see_are_dropped() -> None:
    build = GoBuild(
        "go1\0",
        "x",
        GoModule("a\x1b[2J", "v1"),
        (GoModule("b\n\n", "v\nv"), GoModule("", "v1"), GoModule("c", "v\x7f")),
    )
    assert [(package.name, package.version) for package in packages(build, ("tool",))] == [
        ("b", ""),
        ("c", ""),
        ("stdlib", ""),
    ]
