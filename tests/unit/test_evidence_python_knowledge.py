"""The facts about Python: each has a reason and an origin, and names what can be a module or a path."""

from __future__ import annotations

import re
import tomllib
from importlib import resources
from pathlib import Path

import pytest

from deadweight.evidence.closure.python import PythonClosure
from deadweight.evidence.closure.python_knowledge import parse, python_knowledge
from debian_by_hand import Debian
from layers_by_hand import file, program
from scenes import needed, scene_of

TEXT = resources.files("deadweight.evidence").joinpath("knowledge/python.toml").read_text("utf-8")
KEYS = {"start": {"modules"}, "needs": {"of"}, "ignored": {"module", "imports"}, "quiet_pth": {"name"}}
STARTS = tomllib.loads(TEXT)["start"]
NEEDS = tomllib.loads(TEXT)["needs"]
LIBRARY = "usr/lib/python3.11"
MODULE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*(\.?\*|_\*)?")


@pytest.mark.parametrize(
    ("kind", "entry"), [(kind, entry) for kind, entries in tomllib.loads(TEXT).items() for entry in entries]
)
def test_every_entry_is_complete(kind: str, entry: dict[str, object]) -> None:
    assert KEYS[kind] <= entry.keys() <= KEYS[kind] | {"modules", "paths", "programs", "because", "origin"}
    assert entry["origin"]
    assert kind in ("ignored", "quiet_pth") or (
        entry["because"] and any(entry.get(key) for key in ("modules", "paths", "programs"))
    )
    for key in ("of", "modules", "imports"):
        names = entry.get(key, [])
        assert isinstance(names, list)
        assert all(MODULE.fullmatch(name) for name in names)
    paths = entry.get("paths", [])
    assert isinstance(paths, list)
    assert not [path for path in paths if path.startswith("/") or ".." in path or path.endswith("/")]


def test_what_the_file_says_is_what_is_known() -> None:
    knowledge = python_knowledge()
    assert knowledge == parse(TEXT)
    assert "_strptime" in {name for need in knowledge.needs["datetime"] for name in need.modules}
    assert "usr/lib/zoneinfo" in {path for need in knowledge.needs["zoneinfo"] for path in need.paths}
    assert knowledge.ignored["multiprocessing.util"] == {"test", "test.support"}


def module_path(name: str, names: set[str]) -> str:
    """Where the module `name` lies: it is a package if one of `names` is in it."""
    folder = any(other.startswith(f"{name}.") for other in names)
    return f"{LIBRARY}/{name.replace('.', '/')}{'/__init__.py' if folder else '.py'}"


def kept(text: str, names: set[str], paths: list[str], programs: list[str]) -> set[str]:
    """What an application of `text` needs of a library with the modules `names`, and of packages of the others."""
    library = [file(module_path(name, names)) for name in sorted(names)]
    debian = Debian().add("python", program("usr/bin/python3.11"), *library)
    for number, path in enumerate(sorted(paths)):
        debian.add(f"data{number}", file(f"{path}/some"))
    for name in sorted(programs):
        debian.add(f"package-of-{name.lower()}", program(f"usr/bin/{name}"))
    scene = scene_of(*debian.layer, file("srv/app.py", text.encode()))
    return set(needed(scene, ["usr/bin/python3.11"], PythonClosure()).reasons)


def started(name: str) -> bool:
    """Whether every start of an interpreter loads the module `name`, or what is in it."""
    return any(
        name == one or (one.endswith("*") and name.startswith(one[:-1])) or one.startswith(f"{name}.")
        for entry in STARTS
        for one in entry["modules"]
    )


ALWAYS = [entry for entry in NEEDS if any(map(started, entry["of"]))]
"""What comes with modules that every start loads."""


@pytest.mark.parametrize("entry", NEEDS, ids=[entry["of"][0] for entry in NEEDS])
def test_what_a_module_needs_comes_with_it_and_with_nothing_else(entry: dict[str, list[str]]) -> None:
    wanted = {name.replace("*", "some") for name in entry.get("modules", [])}
    paths, programs = entry.get("paths", []), entry.get("programs", [])
    always = {name for one in ALWAYS for name in one.get("modules", [])}
    below = tuple(path for one in ALWAYS for path in one.get("paths", []))
    for of in entry["of"]:
        names = {*wanted, of, "os", "other", "encodings.utf_8"}
        names |= {name.rsplit(".", count)[0] for name in names for count in range(1, name.count(".") + 1)}
        files = {f"{path}/some" for path in paths} | {module_path(name, names) for name in wanted}
        files |= {f"usr/bin/{name}" for name in programs}
        assert files <= kept(f"import {of}", names, paths, programs)
        not_asked = {module_path(name, names) for name in wanted if not started(name) and name not in always}
        not_asked |= {f"{path}/some" for path in paths if not f"{path}/some".startswith(below)}
        not_asked |= {f"usr/bin/{name}" for name in programs}
        assert kept("import other", names, paths, programs).isdisjoint(not_asked)


@pytest.mark.parametrize("entry", STARTS, ids=lambda entry: entry["modules"][0])
def test_every_start_loads_what_it_says(entry: dict[str, list[str]]) -> None:
    wanted = {name.replace("*", "some") for name in entry["modules"]}
    names = {*wanted, "os", "encodings.utf_8", "encodings", "importlib", "other"}
    found = kept("", names, [], [])
    assert {module_path(name, names) for name in wanted} <= found
    assert module_path("other", names) not in found


def test_it_names_no_application_of_the_corpus() -> None:
    """But for pandas, whose parts in Cython import what no source of it says."""
    applications = {path.name for path in Path("examples/corpus/applications").iterdir() if path.is_dir()}
    assert {"nginx", "pandas"} <= applications
    named = {name.partition(".")[0] for entry in NEEDS for name in entry["of"]}
    assert named & applications == {"pandas"}
