"""Real programs: what is read of them against binutils, pyelftools and Go."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile
from elftools.elf.segments import InterpSegment

from conftest import require, require_program
from deadweight.inventory import elf
from deadweight.inventory.elf import Elf
from deadweight.inventory.elf_format import MAGIC
from deadweight.layer.collect import START
from deadweight.layer.content import Kept, Space, Whole


def run(*command: str | Path) -> None:
    subprocess.run(command, check=True)


def read(path: Path) -> Elf:
    found = elf.of(elf.COLLECTOR.collect(str(path), Whole(path.read_bytes())))
    assert found is not None
    assert not found.incomplete
    return found


SOURCE = """#include <stdio.h>
#include <math.h>
struct thing { int number; double other; };
double used(struct thing *t) { return sin(t->other) + t->number; }
int main(int count, char **texts) { struct thing t = {count, 0.5}; return printf("%f", used(&t)) == 0; }
"""
BUILDS: Mapping[str, Sequence[str]] = {
    "dynamic": ["-g", "-lm"],
    "no-pie": ["-g", "-no-pie", "-lm"],
    "static": ["-g", "-static", "-lm"],
    "static-pie": ["-g", "-static-pie", "-lm"],
    "shared": ["-g", "-shared", "-fPIC", "-Wl,-soname,libthing.so.1", "-Wl,-rpath,/opt/a:$ORIGIN", "-lm"],
    "old-rpath": ["-Wl,--disable-new-dtags", "-Wl,-rpath,/opt/b", "-lm"],
    "compressed": ["-g", "-gz=zlib", "-lm"],
    "stripped": ["-s", "-lm"],
    "object": ["-g", "-c"],
}


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    require_program("gcc")
    require_program("strip")
    folder = tmp_path_factory.mktemp("programs")
    (folder / "source.c").write_text(SOURCE)
    for name, options in BUILDS.items():
        run("gcc", "-O1", "-o", folder / name, folder / "source.c", *options)
    return {name: folder / name for name in BUILDS}


@pytest.mark.parametrize("name", BUILDS)
def test_what_strip_saves(programs: Mapping[str, Path], tmp_path: Path, name: str) -> None:
    """The sections that go are weighed to the byte; strip also drops their headers and names, and moves the rest."""
    path = programs[name]
    run("strip", "--strip-unneeded", "-o", tmp_path / "stripped", path)
    saved = path.stat().st_size - (tmp_path / "stripped").stat().st_size
    found = read(path)
    with path.open("rb") as file:
        before = {section.name: section["sh_size"] for section in ELFFile(file).iter_sections()}
    with (tmp_path / "stripped").open("rb") as file:
        after = {section.name for section in ELFFile(file).iter_sections()}
    assert found.strippable == sum(size for section, size in before.items() if section not in after)
    assert abs(saved - found.strippable) <= 100 * len(before)
    assert read(tmp_path / "stripped").strippable == 0 or name == "object"


def test_what_programs_load(programs: Mapping[str, Path]) -> None:
    found = {name: read(path) for name, path in programs.items()}
    libraries = ("libm.so.6", "libc.so.6")
    assert {name for name, file in found.items() if file.needed == libraries} == {
        *BUILDS.keys() - {"static", "static-pie", "object"}
    }
    assert {name for name, file in found.items() if file.static} == {"static", "static-pie"}
    assert {name for name, file in found.items() if not file.program} == {"shared", "object"}
    assert found["shared"].soname == "libthing.so.1"
    assert found["shared"].runpath == ("/opt/a", "$ORIGIN")
    assert found["old-rpath"].rpath == ("/opt/b",)


def test_debug_sections_in_a_file_of_their_own(programs: Mapping[str, Path], tmp_path: Path) -> None:
    path, apart = programs["dynamic"], tmp_path / "dynamic.debug"
    run("objcopy", "--only-keep-debug", path, apart)
    run("strip", "--strip-debug", "-o", tmp_path / "rest", path)
    run("objcopy", f"--add-gnu-debuglink={apart}", tmp_path / "rest")
    whole, rest, debug = read(path), read(tmp_path / "rest"), read(apart)
    assert debug.debug_only
    assert debug.debug == whole.debug
    assert (rest.debug, rest.debug_only, rest.debug_link) == (0, False, "dynamic.debug")
    assert (debug.program, debug.needed, debug.interpreter) == (False, (), "")


def test_programs_and_libraries_of_this_machine() -> None:
    folders = [Path("/usr/bin"), *Path("/usr/lib").glob("*-linux-gnu")]
    paths = [path for folder in folders for path in sorted(folder.iterdir()) if _is_small_elf(path)]
    require(paths, "any program")
    for path in paths[:: len(paths) // 60 + 1]:
        found = read(path)
        with path.open("rb") as file:
            oracle = ELFFile(file)
            loaded = _loaded(oracle)
            assert (loaded.get("interp", []), loaded.get("soname", [])) == (
                [found.interpreter] if found.interpreter else [],
                [found.soname] if found.soname else [],
            )
            assert loaded.get("needed", []) == list(found.needed)
            assert ":".join(loaded.get("runpath", [])).split(":") == list(found.runpath or [""])
            tables = [section for section in oracle.iter_sections() if section["sh_type"] == "SHT_SYMTAB"]
            assert found.symbols == sum(
                table["sh_size"] + oracle.get_section(table["sh_link"])["sh_size"] for table in tables
            )


def _is_small_elf(path: Path) -> bool:
    if path.is_symlink() or not path.is_file() or path.stat().st_size > 10 << 20:
        return False
    with path.open("rb") as file:
        return file.read(4) == MAGIC


def _loaded(oracle: ELFFile) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for segment in oracle.iter_segments():
        if isinstance(segment, InterpSegment):
            found["interp"] = [segment.get_interp_name()]
        elif isinstance(segment, DynamicSegment):
            for tag in segment.iter_tags():
                name = str(tag.entry.d_tag).removeprefix("DT_").lower()
                if name in ("needed", "soname", "runpath"):
                    found.setdefault(name, []).append(getattr(tag, name))
    return found


@pytest.mark.parametrize("name", ["skopeo", "dockerd", "chromium"])
def test_of_a_large_program_enough_is_kept_as_it_streams_by(name: str) -> None:
    """Each over 15 MB, from linkers of C and Go: what is read of the kept parts is what is read of the whole."""
    path = Path(require_program(name)).resolve()
    if path.read_bytes()[:4] != MAGIC:  # Debian starts it by a script
        path = Path("/usr/lib/chromium/chromium")
    whole = path.read_bytes()
    start = whole[:START]
    kept = Kept(len(whole), [range(START), *elf.COLLECTOR.parts(len(whole), start)], Space())
    for at in range(0, len(whole), 1 << 20):
        kept.append(memoryview(whole)[at : at + (1 << 20)])
    assert len(whole) > 15_000_000
    assert elf.COLLECTOR.collect(name, kept) == elf.COLLECTOR.collect(name, Whole(whole))
    assert read(path).needed


def test_a_real_go_program() -> None:
    found = read(Path(require_program("skopeo")))
    assert found.is_go
    assert found.go is not None
    assert found.go.version.startswith("go1.")
    assert found.go.path == "github.com/containers/skopeo/cmd/skopeo"
    assert dict(found.go.settings)["GOOS"] == "linux"
