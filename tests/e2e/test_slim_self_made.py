"""Self-made probes: what is missing in a result is found though nobody asks for it; by real linkers, shells and Pythons."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from busybox_images import busybox_image, busybox_layer
from conftest import require, require_program
from deadweight.probe.spec import parse_probe
from deadweight.probe.workload import Workload
from deadweight.slimming.request import Request
from deadweight.slimming.result import SlimResult
from deadweight.slimming.slim import slim
from image_samples import write_layout
from layer_stacks import Item

SERVER = {
    "Cmd": ["httpd", "-f", "-p", "8080", "-h", "/srv"],
    "ExposedPorts": {"8080/tcp": {}},
    "StopSignal": "SIGKILL",
}
SCRIPT = b"#!/bin/sh\ntool --version && exec cat /srv/page\n"
PAGE = Workload(probes=(parse_probe("http:GET /page"),))
MUSL = Path("/lib/ld-musl-x86_64.so.1")
STANDARD = Path(os.__file__).parent
NAME = f"python{sys.version_info[0]}.{sys.version_info[1]}"
NOT_COPIED = frozenset(
    {"test", "tests", "site-packages", "dist-packages", "__pycache__", "idlelib", "tkinter"}
)
APPLICATION = """#!{0}
try:
    import small.used
except ImportError:
    pass
print("done")
"""


@pytest.fixture(autouse=True)
def _traced() -> None:
    require_program("strace")


def slimmed(reference: str, folder: Path, workload: Workload, *drop: str) -> SlimResult:
    return slim(reference, f"oci:{folder}/small", Request("files", (workload,), drop=drop))


def failed(result: SlimResult) -> dict[str, tuple[str, ...]]:
    """The probes that failed, with the first words of what they show of each thing that is lacking."""
    return {
        one.probe: tuple(str(row.expected) for difference in one.differences for row in difference.rows)
        for one in result.attempt.proof.results
        if not one.passed
    }


def whole(path: Path) -> Item:
    return Item(str(path)[1:], "f", path.read_bytes(), mode=0o755)


def libraries(*programs: Path) -> Iterator[Item]:
    """What the dynamic linker of this machine loads for `programs`, and itself, at the paths that it says."""
    said = "".join(
        subprocess.run(["ldd", program], check=True, capture_output=True, text=True).stdout
        for program in programs
    )
    for path in sorted(set(re.findall(r"(/\S+) \(0x", said))):
        yield whole(Path(path))


def built(compiler: str, folder: Path, code: str, name: str, *options: str) -> bytes:
    command = [compiler, "-x", "c", "-", "-x", "none", "-o", str(folder / name), *options]
    subprocess.run(command, input=code.encode(), check=True)
    return (folder / name).read_bytes()


def program_with_library(folder: Path, compiler: str = "gcc") -> list[Item]:
    """A program that nobody starts, in /opt/app, and beside it the library that it needs."""
    require_program(compiler)
    soname = "-Wl,-soname,libdeep.so.1"
    library = built(
        compiler, folder, "int deep(void) { return 0; }", "libdeep.so.1", "-shared", "-fPIC", soname
    )
    code = "int deep(void); int main(void) { return deep(); }"
    rpath = "-Wl,-rpath,$ORIGIN/lib"
    program = built(compiler, folder, code, "app", str(folder / "libdeep.so.1"), rpath)
    loaded = libraries(Path("/usr/bin/env")) if compiler == "gcc" else [whole(MUSL)]
    return [
        Item("opt/app/app", "f", program, mode=0o755),
        Item("opt/app/lib/libdeep.so.1", "f", library, mode=0o755),
        *loaded,
        Item("srv/page", "f", b"hello\n"),
    ]


@pytest.mark.parametrize("compiler", ["gcc", "musl-gcc"])
def test_a_dropped_library_is_missed_though_its_program_is_never_started(
    tmp_path: Path, compiler: str
) -> None:
    items = program_with_library(tmp_path, compiler)
    reference = busybox_image(tmp_path / "image", SERVER, items)
    all_of_it = slimmed(reference, tmp_path, PAGE)
    assert "libraries:" in [one.probe for one in all_of_it.attempt.proof.results]
    assert failed(all_of_it) == {}
    less = slimmed(reference, tmp_path, PAGE, "*/libdeep.so.1")
    assert less.digest is None
    assert failed(less) == {"libraries:": ("libdeep.so.1 of opt/app/app",)}


@pytest.mark.parametrize("compiler", ["gcc", "musl-gcc"])
def test_without_a_shell_the_linker_is_asked_by_itself(tmp_path: Path, compiler: str) -> None:
    tools = [item for item in busybox_layer() if item.path != "bin/sh"]
    layers = [tools, program_with_library(tmp_path, compiler)]
    reference = write_layout(tmp_path / "image", layers, config=SERVER)
    less = slimmed(reference, tmp_path, PAGE, "*/libdeep.so.1")
    assert failed(less) == {"libraries:": ("libdeep.so.1 of opt/app/app",)}


def test_what_the_original_lacks_too_is_no_loss(tmp_path: Path) -> None:
    items = [item for item in program_with_library(tmp_path) if not item.path.startswith("opt/app/lib")]
    result = slimmed(busybox_image(tmp_path / "image", SERVER, items), tmp_path, PAGE)
    assert failed(result) == {}
    assert "libraries:" in [one.probe for one in result.attempt.proof.results]


def test_a_dropped_command_is_missed_though_its_script_is_never_started(tmp_path: Path) -> None:
    items = [
        Item("opt/run.sh", "f", SCRIPT, mode=0o755),
        Item("usr/local/bin/tool", "f", b"#!/bin/sh\n", mode=0o755),
        Item("srv/page", "f", b"hello\n"),
    ]
    reference = busybox_image(tmp_path / "image", SERVER, items)
    assert failed(slimmed(reference, tmp_path, PAGE)) == {}
    less = slimmed(reference, tmp_path, PAGE, "*/tool")
    assert failed(less) == {"commands:": ("tool of opt/run.sh",)}


def python_image(folder: Path, *command: str) -> str:
    """An image of this Python with an application that `command` starts, and the distribution ``small`` of two modules."""
    require_program("ldd")
    program = Path(sys.executable).resolve()
    require(program.parent.parent == STANDARD.parent.parent, "a Python beside its standard library")
    files = [
        path
        for path in sorted(STANDARD.rglob("*"))
        if path.is_file() and not NOT_COPIED.intersection(path.relative_to(STANDARD).parts)
    ]
    modules = [path for path in files if path.suffix in (".py", ".so")]
    record = "small/__init__.py,,\nsmall/used.py,,\nsmall/asked.py,,\nsmall-1.dist-info/METADATA,,\nsmall-1.dist-info/RECORD,,\n"
    layers = [
        [
            whole(program),
            *(Item(str(path)[1:], "f", path.read_bytes()) for path in modules),
            *libraries(program, *(path for path in modules if path.suffix == ".so")),
        ],
        [
            Item("srv/app.py", "f", APPLICATION.format(program).encode(), mode=0o755),
            Item("srv/site/small/__init__.py", "f", b""),
            Item("srv/site/small/used.py", "f", b"import json\n"),
            Item("srv/site/small/asked.py", "f", b"raise SystemExit\n"),
            Item("srv/site/small-1.dist-info/METADATA", "f", b"Metadata-Version: 2.1\nName: small\nVersion: 1\n"),
            Item("srv/site/small-1.dist-info/RECORD", "f", record.encode()),
        ],
    ]  # fmt: skip
    config = {"Cmd": command, "Env": ["PYTHONPATH=/srv/site", "PATH=/usr/bin"]}
    return write_layout(folder, layers, config=config)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("by_name", [True, False])
def test_dropped_modules_are_missed_though_the_application_does_not_fail(
    tmp_path: Path, by_name: bool
) -> None:
    """The interpreter is started by its name, or by the kernel for a script."""
    program = Path(sys.executable).resolve()
    reference = python_image(tmp_path / "image", *([str(program)] if by_name else []), "/srv/app.py")
    job = Workload(ends=True)
    all_of_it = slimmed(reference, tmp_path, job)
    assert failed(all_of_it) == {}
    assert {f"modules:{program}", f"imports:{program}"} < {
        one.probe for one in all_of_it.attempt.proof.results
    }
    less = slimmed(reference, tmp_path, job, "*/small/asked.py", "*/small/used.py")
    assert failed(less) == {
        f"modules:{program}": (f"small.asked of {program}", f"small.used of {program}"),
        f"imports:{program}": (f"small.used of {program}",),
    }
