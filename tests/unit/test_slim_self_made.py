"""Self-made probes: what they ask about, how answers are read, and what of them counts."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from conftest import require_program
from deadweight.evidence.model import Evidence
from deadweight.inventory.elf import EXECUTABLE, RELOCATABLE, SHARED, Elf
from deadweight.probe.observation import Failure
from deadweight.sandbox import Starter
from deadweight.slimming.recorded import Recorded
from deadweight.slimming.selection import Known
from deadweight.slimming.self_made.asking import SelfMade, ask_original, prove_self_made
from deadweight.slimming.self_made.commands import CommandsProbe, commands_of_scripts, commands_probes
from deadweight.slimming.self_made.libraries import Search, lacks_in, lacks_of, searches_of
from deadweight.slimming.self_made.modules import module_name
from deadweight.slimming.self_made.probe import Lack, Questioned, SelfMadeProbe, script, started_programs
from deadweight.trace.observed import Use, observed
from layers_by_hand import Member, file, link
from scenes import scene_of

GLIBC, MUSL = "/lib64/ld-linux-x86-64.so.2", "/lib/ld-musl-x86_64.so.1"


class NoBox(Starter):
    """Nothing may be started."""

    name = "none"

    def start(self, *arguments: Any, **options: Any) -> Any:
        raise AssertionError(arguments)

    def join(self, *arguments: Any, **options: Any) -> Any:
        raise AssertionError(arguments)


def questioned(*members: Member) -> Questioned:
    scene = scene_of(*members)
    return Questioned(NoBox(), scene.tree, scene.execution)


def known(*members: Member) -> Known:
    scene = scene_of(*members)
    return Known(scene, Evidence({}), {})


@dataclass(frozen=True)
class Given:
    """A probe of somebody else, which says of the original one thing, and then another."""

    name: str
    answers: Iterator[frozenset[Lack] | Failure]

    def ask(self, image: Questioned) -> frozenset[Lack] | Failure:
        return next(self.answers)


def asked(*answers: frozenset[Lack] | Failure) -> tuple[SelfMade, Questioned]:
    def make(known: Known, recorded: Recorded) -> Iterator[SelfMadeProbe]:
        yield Given("given:", iter(answers))

    image = questioned(file("etc/empty", b""))
    return ask_original(image, known(file("etc/empty", b"")), Recorded(), [make]), image


def test_what_the_original_lacks_the_result_may_lack_in_other_words() -> None:
    self_made, image = asked(
        frozenset({Lack("app", "a", "at 0x1"), Lack("app", "b")}), frozenset({Lack("app", "a", "at 0x2")})
    )
    (result,) = prove_self_made(self_made, image)
    assert result.probe == "given:"
    assert result.passed


def test_what_only_the_result_lacks_is_named_side_by_side() -> None:
    lacks = frozenset(Lack("app", f"lib{number}.so", "no such file") for number in range(5))
    self_made, image = asked(frozenset({Lack("app", "lib0.so")}), lacks)
    (result,) = prove_self_made(self_made, image)
    (difference,) = result.differences
    assert difference.expected == "lib1.so of app, lib2.so of app, lib3.so of app and 1 more"
    assert difference.found == "no such file"
    assert [(row.expected, row.found) for row in difference.rows] == [
        (f"lib{number}.so of app", "no such file") for number in range(1, 5)
    ]


def test_of_more_than_a_screen_holds_the_first_are_shown() -> None:
    self_made, image = asked(
        frozenset(), frozenset(Lack("app", f"lib{number:03}.so") for number in range(100))
    )
    (result,) = prove_self_made(self_made, image)
    assert len(result.differences[0].rows) == 20
    assert result.differences[0].expected.endswith("and 97 more")


def test_one_that_the_original_does_not_answer_is_left_out_and_told() -> None:
    self_made, image = asked(Failure("it was killed"))
    assert list(prove_self_made(self_made, image)) == []
    assert self_made.notes == ("the probe given: is left out: of the original, it was killed",)


def test_a_result_that_does_not_answer_fails() -> None:
    self_made, image = asked(frozenset(), Failure("it was killed"))
    (result,) = prove_self_made(self_made, image)
    assert result.differences[0].found == "it was killed"


def elf(**fields: Any) -> Elf:
    values: dict[str, Any] = {"bits": 64, "big_endian": False, "kind": SHARED, "machine": 62, **fields}
    return Elf(**values)


def test_files_that_search_alike_are_together_and_those_that_load_nothing_are_not_there() -> None:
    files = {
        "usr/bin/app": elf(kind=EXECUTABLE, program=True, interpreter=GLIBC, needed=("libc.so.6",)),
        "usr/lib/gconv/B.so": elf(needed=("libc.so.6",)),
        "usr/lib/gconv/A.so": elf(needed=("libc.so.6",)),
        "usr/lib/gconv/C.so": elf(needed=("libc.so.6",), runpath=("$ORIGIN/x",)),
        "usr/lib/alone.so": elf(),
        "usr/lib/part.o": elf(kind=RELOCATABLE, needed=("libc.so.6",)),
        "usr/lib/debug/app": elf(needed=("libc.so.6",), debug_only=True),
        "usr/lib/other.so": elf(needed=("libc.so.6",), machine=183),
    }
    assert searches_of(files, "x86_64") == {
        Search(GLIBC, "usr/bin", ("libc.so.6",)): ["usr/bin/app"],
        Search(GLIBC, "usr/lib/gconv", ("libc.so.6",)): ["usr/lib/gconv/A.so", "usr/lib/gconv/B.so"],
        Search(GLIBC, "usr/lib/gconv", ("libc.so.6",), (), ("$ORIGIN/x",)): ["usr/lib/gconv/C.so"],
    }
    assert searches_of(files, "sparc") == {}


def test_of_two_linkers_a_library_has_that_of_its_c_library() -> None:
    files = {
        "bin/one": elf(kind=EXECUTABLE, program=True, interpreter=GLIBC, needed=("libc.so.6",)),
        "bin/two": elf(kind=EXECUTABLE, program=True, interpreter=MUSL, needed=("libc.so",)),
        "lib/a.so": elf(needed=("libc.so.6",)),
        "lib/b.so": elf(needed=("libc.musl-x86_64.so.1",)),
        "lib/c.so": elf(needed=("liba.so",)),
    }
    linkers = {
        path: search.linker for search, paths in searches_of(files, "x86_64").items() for path in paths
    }
    assert linkers == {"bin/one": GLIBC, "bin/two": MUSL, "lib/a.so": GLIBC, "lib/b.so": MUSL}


def test_both_linkers_are_understood() -> None:
    glibc = "\tlinux-vdso.so.1 (0x1)\n\tlibfoo.so.1 => not found\n\tlibc.so.6 => /lib/libc.so.6 (0x2)\n"
    musl = (
        "\t/lib/ld-musl-x86_64.so.1 (0x1)\n"
        "Error loading shared library libbar.so: No such file or directory (needed by /app)\n"
        "Error relocating /app: bar: symbol not found\n"
    )
    assert lacks_of("app", glibc) == {Lack("app", "libfoo.so.1")}
    assert lacks_of("app", musl) == {Lack("app", "libbar.so")}
    both = {Lack("a/app", "libfoo.so.1"), Lack("b", "libbar.so")}
    assert lacks_in(f":/a/app\n{glibc}\n:/b\n{musl}\n:\n") == frozenset(both)
    assert lacks_in(":\n") == frozenset()


@pytest.mark.parametrize("said", ["", ":/a/app\n\tlibfoo.so.1 => not found\n"])
def test_a_shell_that_did_not_come_to_the_end_has_not_answered(said: str) -> None:
    assert isinstance(lacks_in(said), Failure)


def test_the_shell_asks_the_linker_about_each_file(tmp_path: Path) -> None:
    linker = tmp_path / "ld-musl-x86_64.so.1"
    linker.write_text('#!/bin/sh\ncase $2 in *good*) ;; *) echo "$1 => not found";; esac; exit 1\n')
    linker.chmod(0o755)
    given = "".join(f"{linker}\n/{path}\n" for path in ("good", "with space", "back\\slash"))
    done = subprocess.run(
        ["sh", "-c", script("list_libraries.sh")], input=given, capture_output=True, text=True, check=True
    )
    expected = {Lack("with space", "--list"), Lack("back\\slash", "--list")}
    assert lacks_in(done.stdout) == frozenset(expected)


SCRIPT = b"""#!/bin/sh
own() { tool; }
own; echo done; . /etc/settings
command -v helper && exec "$1" "$(helper x)"
if true; then env A=b server; fi
"""


def test_commands_are_what_scripts_start_but_for_builtins_and_functions() -> None:
    scene = scene_of(
        file("usr/bin/run", SCRIPT, 0o755),
        file("opt/other", SCRIPT, 0o755),
        file("usr/share/not-run", SCRIPT),
    )
    found = commands_of_scripts(scene, {"usr/bin/run", "usr/share/not-run"})
    assert found == {"usr/bin/run": ("/bin/sh", "env", "helper", "server", "tool")}


def test_commands_are_looked_for_as_a_shell_does() -> None:
    probe = CommandsProbe({"usr/bin/run": ("/bin/sh", "tool", "gone"), "left/out": ("gone",)})
    image = questioned(
        file("usr/bin/run", SCRIPT, 0o755), file("bin/sh", b""), file("usr/local/bin/tool", b"")
    )
    assert probe.ask(image) == frozenset({Lack("usr/bin/run", "gone")})


def test_without_scripts_there_is_no_probe_of_commands() -> None:
    assert list(commands_probes(known(file("etc/empty", b"")), Recorded())) == []


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("rich/console.py", "rich.console"),
        ("rich/__init__.py", "rich"),
        ("rich/__pycache__/console.cpython-311.pyc", "rich.console"),
        ("rich/__pycache__/__init__.cpython-311.opt-1.pyc", "rich"),
        ("old.pyc", "old"),
        ("_speed.cpython-311-x86_64-linux-gnu.so", "_speed"),
        ("_speed.abi3.so", "_speed"),
        ("libz.so.1", ""),
        ("rich-1.dist-info/x.py", ""),
        ("rich/py.typed", ""),
        ("__init__.py", ""),
        ("a/0b/c.py", ""),
    ],
)
def test_names_of_modules(path: str, name: str) -> None:
    assert module_name(path) == name


def ask_python(name: str, given: list[str], folder: Path) -> Any:
    done = subprocess.run(
        [sys.executable, "-c", script(name)],
        input=json.dumps(given),
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def test_the_interpreter_of_a_script_that_was_started_was_started_too() -> None:
    scene = scene_of(
        file("opt/venv/bin/serve", b"#!/opt/venv/bin/python\n", 0o755),
        link("opt/venv/bin/python", "/usr/bin/python3"),
        file("usr/bin/python3", b"x", 0o755),
        file("usr/bin/gone", b"#!/nowhere\n", 0o755),
    )
    executed = dict.fromkeys(("opt/venv/bin/serve", "usr/bin/gone"), "")
    recorded = Recorded(observed=observed({Use.EXECUTED: executed}))
    found = started_programs(Known(scene, Evidence({}), {}), recorded)
    assert found == {"opt/venv/bin/serve", "usr/bin/gone", "usr/bin/python3"}


def test_modules_are_found_without_being_imported(tmp_path: Path) -> None:
    for path in ("pack/__init__.py", "pack/inner/deep/last.py", "single.py"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("raise SystemExit('imported')")
    there = ["pack", "pack.inner", "pack.inner.deep.last", "single", "json.decoder", "sys", "os.path"]
    gone = ["pack.gone", "pack.inner.gone", "single.gone", "gone", "gone.inner", "json.gone", "__main__"]
    found = ask_python("find_modules.py", [*there, *gone], tmp_path)
    assert found == ["os.path", *gone]  # os is no package: only importing it makes os.path


def test_node_finds_packages_without_loading_them(tmp_path: Path) -> None:
    """A package, one within another's folder, one that can only be imported; and what of them is not there."""
    require_program("node")
    files = {
        "a/package.json": {"name": "a", "main": "lib/main.js"},
        "a/lib/main.js": None,
        "a/node_modules/b/package.json": {"name": "b"},
        "a/node_modules/b/index.js": None,
        "c/package.json": {"name": "c", "exports": {"import": "./c.mjs"}},
        "c/c.mjs": None,
        "d/package.json": {"name": "d", "main": "gone.js"},
    }
    for path, content in files.items():
        place = tmp_path / "node_modules" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("throw new Error('loaded')" if content is None else json.dumps(content))
    top = f"{tmp_path}/node_modules"
    asked = {f"{top}/a": ["a", "b", "c", "gone", "fs"], f"{top}/c": ["c", "a", "b"], f"{top}/d": ["d"]}
    done = subprocess.run(
        ["node", "-e", script("find_packages.js")],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == [[f"{top}/a", "gone"], [f"{top}/c", "b"], [f"{top}/d", "d"]]


def test_modules_are_imported_and_say_why_they_are_not(tmp_path: Path) -> None:
    (tmp_path / "loud.py").write_text("print('hello')")
    (tmp_path / "ends.py").write_text("import sys; sys.exit(3)")
    (tmp_path / "needs.py").write_text("import gone")
    assert ask_python("import_modules.py", ["loud", "ends", "needs", "json"], tmp_path) == {
        "ends": "SystemExit: 3",
        "needs": "ModuleNotFoundError: No module named 'gone'",
    }
