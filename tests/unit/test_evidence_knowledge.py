"""Each entry of the knowledge: it fires for what it speaks of, and for nothing else."""

from __future__ import annotations

import re

import pytest

from deadweight.evidence.closure.elf import ElfClosure
from deadweight.evidence.closure.knowledge import RULE, TERMINFO, KnowledgeClosure
from deadweight.evidence.knowledge_entries import Entry, library_knowledge, parse
from debian_by_hand import Debian
from elf_samples import ALLOC, DT_NEEDED, DT_SONAME, ElfSample, Section, go_section
from layers_by_hand import Member, file
from scenes import needed, scene_of

ENTRIES = library_knowledge()
APPLICATIONS = (
    *("nginx", "redis", "postgres", "flask", "django", "fastapi", "express", "pandas", "uvicorn", "gunicorn"),
    *("apache", "haproxy", "mongod", "rabbitmq", "grafana", "prometheus", "wordpress", "jenkins", "tomcat"),
)  # fmt: skip


def some_path(pattern: str) -> str:
    """A path that matches `pattern`."""
    pattern = pattern.replace("{lib}", "usr/lib").replace("{terminfo}", TERMINFO[2])
    return re.sub(r"\*+", "1", pattern).replace("?", "2")


def starter(entry: Entry, name: str) -> Member:
    """The file that the entry speaks of by its pattern `name`."""
    if entry.when == "go":
        sections = [Section(".go.buildinfo", go_section("go1.22", ""), flags=ALLOC)]
        return file(
            "usr/bin/app", ElfSample(interpreter="/ld", names={DT_NEEDED: ["x"]}, sections=sections).content()
        )
    if entry.when == "static":
        return file("usr/bin/app", ElfSample(kind=2).content())
    if entry.when == "program":
        return file(
            f"usr/bin/{some_path(name)}", ElfSample(interpreter="/ld", names={DT_NEEDED: []}).content()
        )
    return library(f"usr/lib/{some_path(name)}")


def library(path: str) -> Member:
    return file(path, ElfSample(names={DT_SONAME: [path.rpartition("/")[2]]}).content())


def found(entry: Entry, start: Member, kept: list[str]) -> set[str]:
    """What the entry keeps of `kept`, each the file of a package of its own, in an image that needs `start`."""
    debian = Debian().add("start", start)
    for number, path in enumerate(kept):
        debian.add(f"package{number}", file(path))
    reasons = needed(scene_of(*debian.layer), [start.path], ElfClosure(), KnowledgeClosure([entry])).reasons
    return {path for path, reason in reasons.items() if reason.rule == RULE + entry.id}


@pytest.mark.parametrize("entry", ENTRIES, ids=[entry.id for entry in ENTRIES])
def test_it_fires_for_what_it_speaks_of(entry: Entry) -> None:
    kept = [some_path(pattern) for pattern in entry.keep]
    for name in entry.names or ("",):
        start = starter(entry, name)
        assert found(entry, start, kept) == set(kept) - {start.path}
    program = ElfSample(interpreter="/ld", names={DT_NEEDED: ["libother.so.1"]}).content()
    for other in (library("usr/lib/libother.so.1"), file("usr/bin/other", program)):
        assert found(entry, other, kept) == set()


@pytest.mark.parametrize("entry", ENTRIES, ids=[entry.id for entry in ENTRIES])
def test_what_it_says_of_itself(entry: Entry) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", entry.id)
    assert entry.keep
    assert not any(path.startswith("/") for path in (*entry.keep, *entry.only))
    assert entry.because[0] not in " ."
    assert not entry.because.endswith(".")
    assert len(entry.origin) > 5
    assert bool(entry.names) == (entry.when not in ("go", "static"))
    text = " ".join((entry.id, *entry.names, entry.because)).lower()
    assert not [name for name in APPLICATIONS if re.search(rf"\b{name}\b", text)]


def test_terminals_stay_only_where_they_are_known_to_be_in_use() -> None:
    terminals = (
        file("lib/terminfo/x/xterm-256color"),
        file("lib/terminfo/a/adm3a"),
        file("usr/share/tabset/std"),
    )
    debian = Debian().add("libtinfo6", library("usr/lib/libtinfo.so.6"), depends="ncurses-base")
    debian.add("ncurses-base", *terminals)
    scene = scene_of(*debian.layer)
    kept = set(needed(scene, ["usr/lib/libtinfo.so.6"], KnowledgeClosure()).reasons)
    assert {"lib/terminfo/x/xterm-256color", "usr/share/tabset/std"} <= kept
    assert "lib/terminfo/a/adm3a" not in kept
    assert "lib/terminfo/x/xterm-256color" not in needed(scene, [], KnowledgeClosure()).reasons


GOOD = """
[[entry]]
id = "one"
when = { library = ["liba.so*"] }
keep = ["etc/a"]
because = "it reads it"
origin = "its manual"
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('id = "one"', ""),
        ('id = "one"', "id = 1"),
        ("library", "librarian"),
        ('{ library = ["liba.so*"] }', "{}"),
        ('["liba.so*"]', '"liba.so*"'),
        ('["etc/a"]', "[1]"),
        ('because = "it reads it"', 'because = ""'),
        ('origin = "its manual"', ""),
        ("origin", "source"),
        ("[[entry]]", "[[entries]]"),
    ],
)
def test_entries_that_are_wrong_are_refused(old: str, new: str) -> None:
    assert parse(GOOD) == [
        Entry("one", "library", ("liba.so*",), ("etc/a",), (), "it reads it", "its manual")
    ]
    assert old in GOOD
    with pytest.raises(ValueError, match="entr"):
        parse(GOOD.replace(old, new))
    with pytest.raises(ValueError, match="one id"):
        parse(GOOD + GOOD)
