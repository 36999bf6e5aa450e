"""Libraries that gcc built: found where the real dynamic linker finds them."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from conftest import require, require_program
from deadweight.evidence.closure.dlopen import DlopenClosure
from deadweight.evidence.closure.elf import ElfClosure
from deadweight.evidence.closure.gconv import GconvClosure
from deadweight.evidence.closures import Closure
from deadweight.evidence.scene import Scene
from layers_by_hand import Member, directory, file, link
from scenes import scene_of

LINKER = Path("/lib64/ld-linux-x86-64.so.2")
MAIN = "int deep(void); int main(void) { return deep(); }"


class Folder:
    """A folder in which libraries and programs are built; in the image it has the path that it has here."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def library(self, where: str, *options: str, source: str = "") -> Path:
        """Builds a library; `options` come last, and are those of gcc."""
        path = self.path / where
        path.parent.mkdir(parents=True, exist_ok=True)
        name = path.name.partition(".")[0].removeprefix("lib").partition("-")[0]
        code = source or f"int {name}(void) {{ return 0; }}"
        self._gcc(code, path, "-shared", "-fPIC", f"-Wl,-soname,{path.name}", *options)
        return path

    def program(self, where: str, source: str, *options: str) -> Path:
        path = self.path / where
        path.parent.mkdir(parents=True, exist_ok=True)
        self._gcc(source, path, *options)
        return path

    def _gcc(self, code: str, path: Path, *options: str) -> None:
        command: list[str | Path] = [
            "gcc",
            "-x",
            "c",
            "-",
            "-x",
            "none",
            "-o",
            path,
            "-Wl,--no-as-needed",
            *options,
        ]
        subprocess.run(command, input=code.encode(), check=True)

    def members(self) -> Iterator[Member]:
        """What an image would hold: all that was built, and the C library with the linker's configuration from here."""
        for path in sorted(self.path.rglob("*")):
            if not path.is_dir():
                yield self._member(path)
        yield directory("etc")
        for path in [Path("/etc/ld.so.conf"), *sorted(Path("/etc/ld.so.conf.d").iterdir())]:
            yield file(str(path)[1:], path.read_bytes())
        for place in (LINKER, *Path("/lib/x86_64-linux-gnu").glob("lib[cm].so.6")):
            yield file(str(place)[1:], place.read_bytes(), 0o755)

    @staticmethod
    def _member(path: Path) -> Member:
        if path.is_symlink():
            return link(str(path)[1:], str(path.readlink()))
        return file(str(path)[1:], path.read_bytes(), 0o755)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    require_program("gcc")
    require(LINKER.exists(), "glibc's dynamic linker for x86-64")
    return Folder(tmp_path)


def loaded(program: Path, environment: Mapping[str, str]) -> set[str]:
    """What the dynamic linker loads for `program` (ldd(1)), by the paths that it says; without itself and the kernel's."""
    variables = {**environment, "LD_TRACE_LOADED_OBJECTS": "1"}
    listed = subprocess.run([LINKER, program], env=variables, check=True, capture_output=True, text=True)
    return {os.path.normpath(path)[1:] for path in re.findall(r"=> (/\S+) \(0x", listed.stdout)}


def claims(scene: Scene, program: Path, *closures: Closure) -> dict[str, str]:
    """All that `closures` claim for `program`: path -> rule. What is built here belongs to no package, and would stay in any case."""
    followers = [closure.open(scene) for closure in closures]
    found: dict[str, str] = {}
    left = [(str(program), "start")]
    while left:
        path, rule = left.pop(0)
        for node in scene.way(path):
            if node.path not in found:
                found[node.path] = rule
                left += [(claim.path, claim.rule) for one in followers for claim in one.follow(node)]
    return found


def claimed(folder: Folder, program: Path, environment: Mapping[str, str]) -> set[str]:
    scene = scene_of(*folder.members(), Env=[f"{name}={value}" for name, value in environment.items()])
    return {path for path, rule in claims(scene, program, ElfClosure()).items() if rule == "elf-needed"}


NO_TAGS, NEW_TAGS = "-Wl,--disable-new-dtags", "-Wl,--enable-new-dtags"


@pytest.mark.parametrize(
    ("options", "environment"),
    [
        ([NEW_TAGS, "-Wl,-rpath,{0}/a:{0}/b"], {}),
        ([NEW_TAGS, "-Wl,-rpath,$ORIGIN/../b:{0}/a"], {}),
        ([NEW_TAGS, "-Wl,-rpath,{0}/none"], {"LD_LIBRARY_PATH": "{0}/b:{0}/a"}),
        ([NEW_TAGS, "-Wl,-rpath,{0}/a"], {"LD_LIBRARY_PATH": "{0}/b"}),
        ([NO_TAGS, "-Wl,-rpath,{0}/a"], {"LD_LIBRARY_PATH": "{0}/b"}),
        ([NO_TAGS, "-Wl,-rpath,${{ORIGIN}}/../b:{0}/a"], {}),
        ([NO_TAGS, "-Wl,-rpath,{0}/$LIB:{0}/b"], {}),
        ([NO_TAGS, "-Wl,-rpath,{0}/$PLATFORM:{0}/b"], {}),
    ],
)
@pytest.mark.parametrize("deep", [NO_TAGS, NEW_TAGS])
def test_libraries_are_found_where_the_linker_finds_them(
    folder: Folder, options: Sequence[str], environment: Mapping[str, str], deep: str
) -> None:
    """A program needs a library that needs another: each is in several folders, once under another name."""
    for place in ("a", "b", "c", "lib/x86_64-linux-gnu", "x86_64"):
        low = folder.library(f"{place}/liblow.so.1")
        linked = ["-lm", low, f"-Wl,-rpath,{folder.path}/c", deep] if place != "b" else ["-lm", low, NEW_TAGS]
        folder.library(f"{place}/libdeep.so.1", *map(str, linked), source="int deep(void) { return 0; }")
    (folder.path / "a/liblow.so.1").rename(folder.path / "a/liblow.so.1.2")
    (folder.path / "a/liblow.so.1").symlink_to("liblow.so.1.2")
    here = [option.format(folder.path) for option in options]
    libraries = [str(folder.path / "a/libdeep.so.1"), f"-Wl,-rpath-link,{folder.path}/a"]
    program = folder.program("bin/app", MAIN, *libraries, *here)
    variables = {name: value.format(folder.path) for name, value in environment.items()}
    theirs = loaded(program, variables)
    ours = claimed(folder, program, variables)
    real = {str(Path("/", path).resolve())[1:] for path in theirs}
    assert theirs <= ours
    assert {str(Path("/", path).resolve())[1:] for path in ours} == real


def test_libraries_that_are_loaded_late_and_functions_that_are_imported(folder: Folder) -> None:
    table = folder.path / "table"
    table.write_text("")
    source = f"""#include <dlfcn.h>
    #include <iconv.h>
    #include <stdio.h>
    int main(void) {{
        void *plug = dlopen("libplug.so.1", RTLD_NOW);
        FILE *table = fopen("{table}", "r");
        return plug == 0 || table == 0 || iconv_open("EUC-JP", "UTF-8") == (iconv_t)-1;
    }}"""
    plug, other = folder.library("a/libplug.so.1"), folder.library("a/libother.so.1")
    for strip in ("-g", "-s"):
        program = folder.program("bin/app", source, strip, f"-Wl,-rpath,{folder.path}/a")
        subprocess.run([program], check=True)
        modules = file("usr/lib/x86_64-linux-gnu/gconv/EUC-JP.so", b"")
        scene = scene_of(*folder.members(), modules)
        rules = claims(scene, program, ElfClosure(), DlopenClosure(), GconvClosure())
        assert rules[str(plug)[1:]] == "elf-names-library"
        assert rules[str(table)[1:]] == "elf-names-path"
        assert rules[modules.path] == "gconv"
        assert str(other)[1:] not in rules
