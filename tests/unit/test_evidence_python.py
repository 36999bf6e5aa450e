"""What Python's modules, distributions and interpreters need."""

from __future__ import annotations

from collections.abc import Mapping

from deadweight.evidence.closure.python import PythonClosure
from deadweight.evidence.model import Evidence
from deadweight.evidence.scene import Scene
from debian_by_hand import Debian
from layers_by_hand import Member, file, program
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


def scene(*members: Member, **config: object) -> Scene:
    return scene_of(*members, **config)
