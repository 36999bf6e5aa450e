"""What Python's modules, distributions and interpreters need."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest

from deadweight.evidence.closure.python import PythonClosure
from deadweight.evidence.closures import Quiet
from deadweight.evidence.model import Claim, Evidence
from deadweight.evidence.scene import Scene
from deadweight.tree.node import Node
from debian_by_hand import Debian
from elf_samples import DT_SONAME, ElfSample
from layers_by_hand import Member, file, link, program
from scenes import needed, scene_of

LIBRARY = "usr/lib/python3.11"
SITE = f"{LIBRARY}/site-packages"
INTERPRETER = "usr/bin/python3.11"


def python(modules: Mapping[str, str] = {}) -> list[Member]:
    """An interpreter of a distribution with a small standard library, and in that `modules` by their paths."""
    library = {"os.py": "", "encodings/__init__.py": "", "encodings/cp1252.py": "", **modules}
    members = [file(f"{LIBRARY}/{path}", text.encode()) for path, text in library.items()]
    return Debian().add("python", program(INTERPRETER, "libc.so.6"), *members).layer


def app(text: str, path: str = "srv/app.py") -> Member:
    return file(path, text.encode())


def distribution(name: str, *members: Member, requires: str = "", entry_points: str = "") -> list[Member]:
    """An installed distribution with `members`, whose paths lead from its site directory."""
    info = f"{SITE}/{name}-1.dist-info"
    files = [file(f"{SITE}/{one.path}", one.content) for one in members]
    metadata = f"Name: {name}\nVersion: 1\n" + (f"Requires-Dist: {requires}\n" if requires else "")
    files.append(file(f"{info}/METADATA", metadata.encode()))
    if entry_points:
        files.append(file(f"{info}/entry_points.txt", entry_points.encode()))
    record = (
        "".join(f"{one.path.removeprefix(SITE + '/')},,\n" for one in files)
        + f"{name}-1.dist-info/RECORD,,\n"
    )
    return [*files, file(f"{info}/RECORD", record.encode())]


def moved(member: Member, site: str) -> Member:
    return file(member.path.replace(SITE, site), member.content)


def follow(*members: Member, roots: tuple[str, ...] = (INTERPRETER,)) -> Evidence:
    return needed(scene_of(*members), roots, PythonClosure())


def modules(evidence: Evidence) -> set[str]:
    """The needed files of the standard library beyond those that every start loads."""
    started = {f"{LIBRARY}/{name}" for name in ("os.py", "encodings/__init__.py", "encodings/cp1252.py")}
    paths = {path for path in evidence.reasons if path.startswith(f"{LIBRARY}/") and path != SITE}
    return {path.removeprefix(f"{LIBRARY}/") for path in paths - started}


def test_an_interpreter_keeps_what_it_starts_with_and_nothing_else() -> None:
    evidence = follow(*python({"turtle.py": "", "codecs.py": "import io"}))
    assert {f"{LIBRARY}/encodings/cp1252.py", f"{LIBRARY}/codecs.py"} <= set(evidence.reasons)
    assert f"{LIBRARY}/turtle.py" not in evidence.reasons
    assert follow(*python({"codecs.py": ""}), roots=()).reasons == {}


def test_imports_are_followed_wherever_they_stand() -> None:
    text = "def late():\n    try:\n        import json, sub.part as p\n    except ImportError: from other import name\n"
    names = ("json.py", "sub/__init__.py", "other.py", "deep.py", "no.py")
    library = {**dict.fromkeys(names, ""), "sub/part.py": "import deep"}
    found = modules(follow(*python(library), app(text)))
    assert found == {"json.py", "sub/__init__.py", "sub/part.py", "other.py", "deep.py"}


def test_a_distribution_comes_whole_with_what_it_requires() -> None:
    evidence = follow(
        *python(),
        *distribution(
            "one",
            file("one/__init__.py"),
            file("one/data.bin"),
            file("one/tests/test_it.py"),
            requires="two>1",
        ),
        *distribution("two", file("second.py")),
        *distribution("three", file("three.py")),
        app("import one"),
    )
    assert modules(evidence) == {
        f"site-packages/{path}"
        for path in (
            "one/__init__.py",
            "one/data.bin",
            "one-1.dist-info/METADATA",
            "one-1.dist-info/RECORD",
            "second.py",
            "two-1.dist-info/METADATA",
            "two-1.dist-info/RECORD",
        )
    }


def test_source_that_cannot_be_parsed_is_a_problem_and_its_lines_are_read() -> None:
    evidence = follow(
        *python({"json.py": "", "csv.py": ""}), app("print 'old'\nimport json\nfrom csv import reader\n")
    )
    assert modules(evidence) == {"json.py", "csv.py"}
    assert [problem.partition(":")[0] for problem in evidence.problems] == ["srv/app.py"]


def test_modules_that_are_imported_by_computed_names_are_kept_by_the_beginning_of_the_name() -> None:
    names = (
        "ledger/__init__.py",
        "ledger/export_csv.py",
        "ledger/export_store.py",
        "ledger/other.py",
        "kinds/__init__.py",
        "kinds/a.py",
    )
    text = (
        "from importlib import import_module\n"
        "import_module(f'ledger.export_{kind}')\n"
        "__import__('kinds.%s' % kind)\n"
        "import_module('late')\n"
    )
    found = modules(follow(*python(dict.fromkeys((*names, "late.py"), "")), app(text)))
    assert found == {*names, "late.py"} - {"ledger/other.py"}


def test_a_package_that_imports_its_own_by_computed_names_keeps_all_of_them() -> None:
    own = {
        "plug/__init__.py": "import_module('.' + name, __package__)",
        "plug/one.py": "",
        "plug/two.py": "from . import three",
        "plug/three.py": "",
    }
    library = {
        **own,
        "gone/__init__.py": "",
        "gone/one.py": "",
        "relative/__init__.py": "from .. import x\nfrom .deep.er import y",
        "relative/deep/__init__.py": "",
        "relative/deep/er.py": "from ...gone import one",
    }
    assert modules(follow(*python(library), app("import plug"))) == set(own)
    assert "relative/deep/er.py" in modules(follow(*python(library), app("import relative")))


def test_strings_that_name_modules_are_followed() -> None:
    names = ("one/__init__.py", "one/two.py", "three.py", "four/__init__.py", "five.py")
    members = distribution("lib", *(file(path) for path in names))
    for text in ("X = ['one.two']", "X = 'one.two.Class'", "X = 'three:main'", "INSTALLED = ['four']"):
        assert len(modules(follow(*python(), *members, app(text)))) == 7, text
    assert modules(follow(*python({"json.py": ""}), app("X = 'json'"))) == set()
    assert modules(
        follow(*python({"json.py": ""}), app("import importlib\nX = 'json'\nimportlib.import_module(name)"))
    ) == {"json.py"}


def test_what_never_runs_in_the_standard_library_is_not_followed() -> None:
    library = {
        "json.py": "if TYPE_CHECKING:\n    import graphlib\nelse:\n    import io\nif __name__ == '__main__':\n    import argparse\ndef _test():\n    import doctest",
        **dict.fromkeys(("graphlib.py", "argparse.py", "doctest.py"), ""),
    }
    assert modules(follow(*python(library), app("import json"))) == {"json.py"}


def test_distributions_that_offer_what_is_asked_for_by_group_are_kept() -> None:
    offering = distribution(
        "offer", file("offer.py"), entry_points="[web.plugins]\na = offer\n[console_scripts]\nb = offer\n"
    )
    other = distribution("other", file("other.py"), entry_points="[else.where]\na = other\n")
    found = modules(
        follow(
            *python(),
            *offering,
            *other,
            app("entry_points(group='web.plugins')\nentry_points(group='console_scripts')"),
        )
    )
    assert found == {
        f"site-packages/{path}"
        for path in (
            "offer.py",
            "offer-1.dist-info/METADATA",
            "offer-1.dist-info/RECORD",
            "offer-1.dist-info/entry_points.txt",
        )
    }


def test_tests_of_a_distribution_stay_only_if_something_imports_them() -> None:
    tests = (file("lib/tests/__init__.py"), file("lib/tests/data.json"), file("lib/tests/base.py"))
    plain = distribution("lib", file("lib/__init__.py"), *tests)
    assert not any("tests" in path for path in modules(follow(*python(), *plain, app("import lib"))))
    importing = distribution("lib", file("lib/__init__.py", b"from .tests import base"), *tests)
    found = modules(follow(*python(), *importing, app("import lib")))
    assert {f"site-packages/{one.path}" for one in tests} <= found


def test_bytecode_stays_with_its_source_and_only_for_pythons_that_are_used() -> None:
    compiled = [
        file(f"{LIBRARY}/__pycache__/{name}.pyc")
        for name in ("json.cpython-311", "json.cpython-311.opt-2", "json.cpython-39", "csv.cpython-311")
    ]
    members = [
        *compiled,
        file("srv/__pycache__/app.cpython-311.pyc"),
        file("srv/__pycache__/app.cpython-39.pyc"),
    ]
    evidence = follow(*python({"json.py": "", "csv.py": ""}), *members, app("import json"))
    assert modules(evidence) == {
        "json.py",
        "__pycache__/json.cpython-311.pyc",
        "__pycache__/json.cpython-311.opt-2.pyc",
    }
    assert "srv/__pycache__/app.cpython-311.pyc" in evidence.reasons
    assert "srv/__pycache__/app.cpython-39.pyc" not in evidence.reasons


def test_extension_modules_are_found_for_their_python_and_looked_through() -> None:
    fast = program(f"{SITE}/lib/fast.cpython-311-x86_64-linux-gnu.so")
    named = Member(f"lib/{fast.path.rpartition('/')[2]}", fast.content + b"\0decimal\0")
    members = distribution("lib", file("lib/__init__.py"), named)
    library = {
        "decimal.py": "",
        "lib-dynload/_json.cpython-311-x86_64-linux-gnu.so": "",
        "lib-dynload/_json.cpython-39-x86_64-linux-gnu.so": "",
    }
    found = modules(follow(*python(library), *members, app("import lib, _json")))
    assert {
        "decimal.py",
        "lib-dynload/_json.cpython-311-x86_64-linux-gnu.so",
        f"site-packages/{named.path}",
    } <= found
    assert "lib-dynload/_json.cpython-39-x86_64-linux-gnu.so" not in found


def test_a_virtual_environment_and_its_path_files_are_used() -> None:
    site = "opt/venv/lib/python3.11/site-packages"
    venv = (
        file("opt/venv/pyvenv.cfg", b"home = /usr/bin\nversion = 3.11.2\n"),
        link("opt/venv/bin/python", "/usr/bin/python3.11"),
        link("opt/venv/bin/python3", "python"),
        file(f"{site}/more.pth", b"/opt/more\nimport hook; hook.install()\n"),
    )
    hook = [moved(one, site) for one in distribution("hook", file("hook.py"))]
    more = [moved(one, "opt/more") for one in distribution("extra", file("extra.py"))]
    elsewhere = [
        moved(one, "opt/other/lib/python3.9/site-packages") for one in distribution("hook", file("hook.py"))
    ]
    members = (*venv, *hook, *more, *elsewhere)
    kept = set(follow(*python(), *members, app("import extra"), roots=("opt/venv/bin/python",)).reasons)
    assert {member.path for member in (*venv, *hook, *more)} <= kept
    assert not kept & {member.path for member in elsewhere}
    assert not {"opt/venv/bin/python3", "opt/more/extra.py"} & set(
        follow(*python(), *members, roots=()).reasons
    )


def test_what_the_config_runs_is_needed() -> None:
    members = [
        *python(
            {
                "json.py": "",
                "tool/__init__.py": "",
                "tool/__main__.py": "import late",
                "late.py": "",
                "csv.py": "",
                "pkg/__init__.py": "",
                "pkg/settings.py": "",
            }
        )
    ]
    scene = scene_of(*members, Entrypoint=["python3.11", "-m", "tool"], Env=["SETTINGS=pkg.settings"])
    assert modules(needed(scene, [INTERPRETER], PythonClosure())) == {
        "tool/__init__.py",
        "tool/__main__.py",
        "late.py",
        "pkg/__init__.py",
        "pkg/settings.py",
    }
    scene = scene_of(*members, Cmd=["sh", "-c", "python3.11 -c 'import csv'"])
    assert "csv.py" in modules(needed(scene, [INTERPRETER], PythonClosure()))


def test_scripts_are_followed_by_their_first_line_and_by_what_shell_scripts_run() -> None:
    library = dict.fromkeys(("json.py", "tool.py", "csv.py", "wave.py"), "")
    script = file("usr/local/bin/serve", b"#!/usr/bin/python3.11\nimport json\n", 0o755)
    shell = file(
        "entry.sh",
        b"#!/bin/sh\npython3.11 -c 'import csv'\npython3.11 - <<EOF\nimport wave\nEOF\nexec python3.11 -m tool\n",
        0o755,
    )
    assert modules(follow(*python(library), script)) == {"json.py"}
    assert modules(follow(*python(library), shell)) == {"tool.py", "csv.py", "wave.py"}


def test_settings_of_the_application_name_modules() -> None:
    members = distribution("lib", file("lib/__init__.py"), file("lib/handlers.py"))
    settings = file("srv/logging.ini", b"[handler_a]\nclass=lib.handlers.Rotating\n")
    assert "site-packages/lib/handlers.py" in modules(follow(*python(), *members, settings))


def test_a_package_of_debian_keeps_all_its_modules() -> None:
    shared = "usr/lib/python3/dist-packages"
    debian = (
        Debian()
        .add(
            "python", program(INTERPRETER), file(f"{LIBRARY}/os.py"), file(f"{LIBRARY}/encodings/__init__.py")
        )
        .add("python3-yaml", file(f"{shared}/yaml/__init__.py"), file(f"{shared}/yaml/loader.py"))
        .add("python3-apt", file(f"{shared}/apt/__init__.py"))
    )
    compiled = file(f"{shared}/yaml/__pycache__/loader.cpython-311.pyc")
    kept = set(follow(*debian.layer, compiled, app("import yaml")).reasons)
    assert {f"{shared}/yaml/__init__.py", f"{shared}/yaml/loader.py", compiled.path} <= kept
    assert f"{shared}/apt/__init__.py" not in kept


def test_knowledge_reaches_modules_and_data() -> None:
    library = {
        "zoneinfo/__init__.py": "",
        "zoneinfo/_tzpath.py": "",
        "ssl.py": "",
        "asyncio/__init__.py": "",
        "asyncio/queues.py": "",
    }
    members = (
        file("usr/lib/zoneinfo/Asia/Tokyo"),
        file("etc/ssl/certs/ca-certificates.crt"),
        file("usr/share/zoneinfo/UTC"),
    )
    owned = Debian().add("data", *members).layer
    kept = set(follow(*python(library), *owned, app("import zoneinfo, asyncio")).reasons)
    assert {
        "usr/lib/zoneinfo/Asia/Tokyo",
        f"{LIBRARY}/zoneinfo/_tzpath.py",
        f"{LIBRARY}/asyncio/queues.py",
    } <= kept


def test_a_standard_library_that_no_package_owns_is_decided_too() -> None:
    library = "usr/local/lib/python3.12"
    members = [
        program("usr/local/bin/python3.12"),
        *(
            file(f"{library}/{path}")
            for path in ("os.py", "encodings/__init__.py", "json.py", "turtle.py", "test/__init__.py")
        ),
    ]
    kept = set(follow(*members, app("import json"), roots=("usr/local/bin/python3.12",)).reasons)
    assert f"{library}/json.py" in kept
    assert not kept & {f"{library}/turtle.py", f"{library}/test/__init__.py"}


def test_distributions_beside_the_application_are_found() -> None:
    members = [
        file("srv/vendor/dep.py"),
        file("srv/vendor/dep-1.dist-info/METADATA", b"Name: dep\nVersion: 1\n"),
        file(
            "srv/vendor/dep-1.dist-info/RECORD",
            b"dep.py,,\ndep-1.dist-info/METADATA,,\ndep-1.dist-info/RECORD,,\n",
        ),
    ]
    kept = set(
        follow(*python(), *members, app("import sys\nsys.path.insert(0, 'vendor')\nimport dep")).reasons
    )
    assert {member.path for member in members} <= kept


def test_an_archive_keeps_the_whole_standard_library_and_is_a_problem() -> None:
    evidence = follow(*python({"turtle.py": "", "test/__init__.py": ""}), file("srv/app.pyz", b"PK"))
    assert modules(evidence) == {"turtle.py"}
    assert [problem.partition(":")[0] for problem in evidence.problems] == ["srv/app.pyz"]


def test_modules_without_source_are_looked_through() -> None:
    evidence = follow(
        *python({"json.py": "", "csv.py": ""}), file("srv/app.pyc", b"\xa7\r\r\n\0z\x04json\xda")
    )
    assert modules(evidence) == {"json.py"}


def test_libraries_that_are_loaded_through_ctypes_are_needed() -> None:
    owned = (
        Debian()
        .add("libmagic", program("usr/lib/libmagic.so.1"))
        .add("libz", program("usr/lib/libz.so.1"))
        .layer
    )
    kept = set(follow(*python(), *owned, app("from ctypes import CDLL\nCDLL('libmagic.so.1')")).reasons)
    assert "usr/lib/libmagic.so.1" in kept
    assert "usr/lib/libz.so.1" not in kept


@pytest.mark.parametrize(
    "text",
    [
        "CDLL('libgeos_c.so.1')",
        "CDLL('libgeos_c.so')",
        "find_library('geos_c')",
        "ffi.dlopen('libgeos_c.so.1')",
        "for name in ['geos_c', 'GEOS']:\n    CDLL(find_library(name))",
        "def load(ffi, *names):\n    ffi.dlopen(names[0])\nload(ffi, 'geos_c-1', 'libgeos_c.so.1')",
    ],
)
def test_libraries_are_found_by_soname_and_in_lists_of_names(text: str) -> None:
    soname = ElfSample(names={DT_SONAME: ["libgeos_c.so.1"]}).content()
    owned = Debian().add(
        "geos",
        file("usr/lib/libgeos_c.so.1.17.1", soname),
        link("usr/lib/libgeos_c.so.1", "libgeos_c.so.1.17.1"),
    )
    owned.add("z", program("usr/lib/libz.so.1"))
    lib = distribution("lib", file("lib.py", text.encode()))
    kept = set(follow(*python(), *owned.layer, *lib, app("import lib")).reasons)
    assert "usr/lib/libgeos_c.so.1.17.1" in kept
    assert "usr/lib/libz.so.1" not in kept


def test_strings_are_no_names_of_libraries_where_none_is_chosen_from_them() -> None:
    owned = Debian().add("geos", program("usr/lib/libgeos_c.so.1")).layer
    text = (
        "from ctypes import *\nX = ['geos_c']\nCDLL(None)\nCDLL('libother.so')\nCDLL(find_library('other'))"
    )
    assert "usr/lib/libgeos_c.so.1" not in follow(*python(), *owned, app(text)).reasons
    library = {"ctypes/__init__.py": "X = ['geos_c']\nCDLL(name)"}
    assert "usr/lib/libgeos_c.so.1" not in follow(*python(library), *owned, app("import ctypes")).reasons


def test_programs_that_the_application_starts_are_needed() -> None:
    owned = Debian()
    for name in ("convert", "git", "rsync", "zip", "tar"):
        owned.add(name, program(f"usr/bin/{name}-1"), link(f"usr/bin/{name}", f"{name}-1"))
    text = (
        "import subprocess, shutil\nsubprocess.run(['convert', source])\nshutil.which('git')\n"
        "os.system('cd /tmp && rsync a b')\nnamed = 'zip'\nsubprocess.run([named])\nsubprocess.run([x, 'tar'])\n"
    )
    kept = set(follow(*python(), *owned.layer, app(text)).reasons)
    started = {"convert", "git", "rsync"}
    assert {f"usr/bin/{name}{end}" for name in started for end in ("", "-1")} <= kept
    assert not {"usr/bin/zip", "usr/bin/tar"} & kept


def test_a_python_that_is_needed_late_runs_what_was_seen_before() -> None:
    starter = file("srv/start", b"#!/bin/sh\nexec later\n", 0o755)

    class Later(Quiet):
        """Stands for who knows what shell scripts start."""

        name = "later"

        def open(self, scene: Scene) -> Later:
            return self

        def follow(self, node: Node) -> Iterable[Claim]:
            return [Claim(INTERPRETER, "later", "it starts it")] if node.path == starter.path else ()

    scene = scene_of(*python({"json.py": ""}), starter, app("import json", "a.py"))
    assert modules(needed(scene, [], Later(), PythonClosure())) == {"json.py"}
    assert modules(needed(scene, [], PythonClosure())) == set()


def test_the_order_in_which_paths_are_needed_does_not_matter() -> None:
    members = (
        *python({"json.py": "", "csv.py": ""}),
        *distribution("one", file("one.py", b"import json"), file("data.bin"), requires="two"),
        *distribution("two", file("two.py", b"import csv")),
    )
    roots = (INTERPRETER, f"{SITE}/one.py")
    forwards = follow(*members, roots=roots)
    backwards = follow(*members, roots=roots[::-1])
    assert set(forwards.reasons) == set(backwards.reasons)
    assert {f"{SITE}/two.py", f"{SITE}/data.bin", f"{LIBRARY}/csv.py"} <= set(backwards.reasons)


def test_who_decides() -> None:
    site = "usr/lib/python3/dist-packages"
    debian = Debian().add("python3-yaml", file(f"{site}/yaml/a.py"), file(f"{site}/yaml/data.txt"))
    scene = scene_of(
        *python({"lib2to3/Grammar.txt": ""}),
        *debian.layer,
        app("", "srv/a.py"),
        file("srv/__pycache__/a.cpython-311.pyc"),
        file(f"{SITE}/loose.py"),
    )
    follower = PythonClosure().open(scene)
    decided = {node.path for node in scene.tree.leaves if follower.decides(node, scene.owner(node.path))}
    assert {
        f"{site}/yaml/a.py",
        f"{LIBRARY}/lib2to3/Grammar.txt",
        f"{LIBRARY}/os.py",
        "srv/__pycache__/a.cpython-311.pyc",
    } <= decided
    assert not decided & {f"{site}/yaml/data.txt", "srv/a.py", f"{SITE}/loose.py", INTERPRETER}


def test_more_environments_than_are_looked_into_is_a_problem() -> None:
    venvs = [
        file(f"opt/{number:03}/pyvenv.cfg", b"home = /usr/bin\nversion = 3.11\n") for number in range(70)
    ]
    problems = follow(*python(), *venvs).problems
    assert len(problems) == 7
    assert problems[0] == "opt/063: one of more than 64 environments, not looked into"


@pytest.mark.parametrize(
    "text",
    [
        "(" * 5000,
        "x = " + "-" * 200_000 + "1",
        "\0",
        "# -*- coding: nonsense -*-\nimport json",
        "x = 1\n" * 300_000,
    ],
)
def test_hostile_source_is_a_problem_at_worst(text: str) -> None:
    follow(*python({"json.py": ""}), app(text))
