"""Scripts: the interpreter of the first line, and what shell scripts start, read and name."""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from deadweight.accounting.programs import started
from deadweight.accounting.scripts import Script
from deadweight.evidence.closure.script_places import Places, known_places
from deadweight.evidence.closure.script_programs import known_starts
from deadweight.evidence.closure.script_texts import commands_in
from deadweight.evidence.closure.shell_commands import BUILTINS, Kind, Use, uses
from deadweight.evidence.closure.shell_text import HERE, MAX_TEXT, SELF, UNKNOWN, Command, parse
from deadweight.evidence.closures import Quiet
from deadweight.evidence.company import PROGRAM_FOLDERS, SYSTEM
from deadweight.evidence.globs import matching
from deadweight.evidence.model import Claim
from deadweight.evidence.scene import Scene
from deadweight.inventory.model import Package
from deadweight.layer.entry import FILE
from deadweight.tree.node import Node

CONFIG = "config-command"
VARIABLE = "config-variable"
INTERPRETER = "script-interpreter"
COMMAND = "script-command"
SOURCED = "script-source"
PATH = "script-names-path"
WORD = "script-word"
STARTS = "program-starts"

MAX_NESTED = 8
"""How deep texts for shells in texts for shells are looked into."""
MAX_NESTED_BYTES = 1 << 20
"""The most bytes of such texts in one script."""
MAX_WORDS = 64
"""How many words of one command may be commands themselves."""
MAX_GLOBBED = 1000
"""The most files that one pattern gives."""
_SHARED = ("usr/", "var/")
_FIRST_LINE = 256
_SHELLS = frozenset({"sh", "bash", "dash", "ash", "ksh", "mksh", "zsh", "busybox", "with-contenv"})
_WORDS_ONLY = frozenset({"execlineb", "fish", "csh", "tcsh"})
"""Shells with a language of their own: every word of their scripts that is the name of a program counts."""
_TEXTUAL = re.compile(r"(?:perl|ruby|php|awk|gawk|mawk|sed|tclsh|expect|lua|Rscript|make|guile)[\d.]*")
"""Languages in which paths of files that are written out count."""
_REMOVES = frozenset({"rm", "rmdir", "unlink", "shred", "chown", "chmod", "chgrp"})
"""What they are told is not needed for it."""
_NOT_RUN = re.compile(r"(?:^|/)(?:tests?|examples?|docs?|completions?)/|completion[\w.-]*$")
"""What of packages of languages nothing starts: they bring along what their makers need."""
_SPLITS = re.compile(r"-[a-z]*S|--split-string")
"""The option of env that makes several words of the one that the kernel passes on (env(1))."""
_ABSOLUTE = re.compile(r"(?<![\w.$}*~-])/[\w.+@%-]+(?:/[\w.+@%-]+)+")


class Where(NamedTuple):
    """The text that is looked into."""

    folder: str
    """The directory that the script is in."""
    name: str
    """How it is called in reasons."""


class ScriptsClosure:
    """Follows what the config starts, and scripts."""

    name = "scripts"

    def open(self, scene: Scene) -> ScriptsFollower:
        return ScriptsFollower(scene)


class ScriptsFollower(Quiet):
    """Follows the scripts of one image, and decides about those of packages of its distribution."""

    def __init__(self, scene: Scene) -> None:
        self._problems: list[str] = []
        self._scene = scene
        self._places = Places(scene, known_places())
        self._starts = known_starts()
        self._working_dir = scene.execution.working_dir or "/"
        self._folders = list(dict.fromkeys([*scene.search_path, *(f"/{one}" for one in PROGRAM_FOLDERS)]))
        self._programs = frozenset(
            node.path for place in PROGRAM_FOLDERS if (node := scene.resolve(place)) is not None
        )
        self._read: set[str] = set()
        self._followed: set[str] = set()
        self._shell_texts: set[str] = set()
        self._nested_texts: set[tuple[Where, str]] = set()
        self._nested_bytes: Counter[Where] = Counter()
        self._late: deque[Node] = deque()

    @property
    def problems(self) -> Sequence[str]:
        return tuple(self._problems)

    def roots(self) -> Iterator[Claim]:
        execution = self._scene.execution
        where = Where(self._working_dir, "the config")
        commands = [*started(execution), execution.entrypoint, execution.cmd, execution.shell[:1]]
        for words in commands:
            command = Command(tuple((word,) for word in words))
            yield from self._command(command, where, CONFIG)
        for name, value in self._scene.environment.items():
            for word in re.split(r"[:=,;\s]+", value):
                if word.startswith("/") and self._is_file(word):
                    yield Claim(word, VARIABLE, f"the variable {name} of the config names it")
        yield from self._catch_up()

    def follow(self, node: Node) -> Iterator[Claim]:
        if not node.is_file:
            return
        self._followed.add(node.path)
        yield from self._places.read_by(node.name)
        for start in self._starts.get(node.name, ()) if node.entry.mode & 0o111 else ():
            for name in start.programs:
                yield from self._program(name, _where(node), STARTS, start.because)
        script = self._scene.scripts.get(node.path)
        if script is not None and self._may_be_run(node):
            yield from self._script(node, script)
        elif node.path in self._shell_texts:
            yield from self._shell(node)
        extract = commands_in(node.path)
        if extract is not None:
            for text in extract(self._scene.text(node) or ""):
                yield from self._text(text, Where("/", node.name), COMMAND)
        yield from self._catch_up()

    def _may_be_run(self, node: Node) -> bool:
        owner = self._scene.owner(node.path)
        if owner is None:
            return True
        left_out = _NOT_RUN.search if owner.ecosystem not in SYSTEM else self._places.for_people
        if left_out(node.path):
            return False
        return bool(node.entry.mode & 0o111)

    def decides(self, node: Node, owner: Package | None) -> bool:
        """Whether it is a script in a folder of programs, or lies where only an init system or the like looks."""
        if owner is None or owner.ecosystem not in SYSTEM:
            return False
        if self._places.decides(node.path):
            return True
        return (
            node.path.rpartition("/")[0] in self._programs
            and node.is_file
            and node.path not in self._scene.elf_files
        )

    def _catch_up(self) -> Iterator[Claim]:
        """Looks into what was followed before it was known to be a text for a shell."""
        while self._late:
            yield from self._shell(self._late.popleft())

    def _script(self, node: Node, script: Script) -> Iterator[Claim]:
        raw = self._scene.contents.read(node, _FIRST_LINE) or b""
        line = raw.partition(b"\n")[0].decode("utf-8", "surrogateescape")
        words = line[2:].split() if line.startswith("#!") else []
        words = [word for word in words if not _SPLITS.fullmatch(word)]
        where = _where(node)
        for use in uses(Command(tuple((word,) for word in words)), in_shell=False):
            if use.kind is Kind.PROGRAM:
                because = "its first line names it as the interpreter"
                yield from self._program(use.value, where, INTERPRETER, because)
        names = {word.rpartition("/")[2] for word in words[:3]}
        if not words or names & _SHELLS:
            yield from self._shell(node)
        elif names & _WORDS_ONLY:
            yield from self._words(self._scene.text(node, MAX_TEXT) or "", where)
        elif any(map(_TEXTUAL.fullmatch, names)):
            yield from self._paths_in(self._scene.text(node) or "", where)

    def _shell(self, node: Node) -> Iterator[Claim]:
        """What `node`, which a shell reads, uses."""
        if node.path in self._read:
            return
        self._read.add(node.path)
        text = self._scene.text(node, MAX_TEXT)
        if text is None:
            self._problems.append(
                f"{node.path}: is larger than {MAX_TEXT} bytes, so that its commands are not known"
            )
        elif "\0" not in text:
            yield from self._text(text, _where(node), COMMAND)

    def _text(self, text: str, where: Where, rule: str, depth: int = 0) -> Iterator[Claim]:
        """What a text for a shell uses."""
        found = parse(text, self._scene.environment)
        for command in found.commands:
            yield from self._command(command, where, rule, found.functions, depth)
        for value in found.values:
            yield from self._path(value, where)
        for inner in found.texts:
            yield from self._paths_in(inner, where)
        if found.broken:
            self._problems.append(
                f"{where.name}: is not all shell text, so that every word of it counts as a command"
            )
            yield from self._words(text, where)

    def _command(
        self,
        command: Command,
        where: Where,
        rule: str,
        functions: frozenset[str] = frozenset(),
        depth: int = 0,
    ) -> Iterator[Claim]:
        words = command.words
        yield from self._uses(uses(command), where, rule, functions, depth)
        if rule == CONFIG or (words and any(self._passes_on(name, where, functions) for name in words[0])):
            for at in range(1, min(len(words), MAX_WORDS)):
                behind = uses(Command(words[at : at + MAX_WORDS], command.heredoc), in_shell=False)
                yield from self._uses(behind, where, WORD, functions, depth)
        if not words or not _REMOVES.intersection(words[0]):
            for word in words:
                for value in word:
                    yield from self._path(value, where)

    def _nested(self, text: str, where: Where, rule: str, depth: int) -> Iterator[Claim]:
        """A text for a shell in another one; each is looked into once, and of one script not more than a limit."""
        key = (where, text)
        if depth >= MAX_NESTED or key in self._nested_texts:
            return
        self._nested_texts.add(key)
        self._nested_bytes[where] += len(text)
        if self._nested_bytes[where] <= MAX_NESTED_BYTES:
            yield from self._text(text, where, rule, depth + 1)
        else:
            self._problems.append(
                f"{where.name}: has more than {MAX_NESTED_BYTES} bytes of texts for shells in it"
            )

    def _uses(
        self, found: Iterable[Use], where: Where, rule: str, functions: frozenset[str], depth: int
    ) -> Iterator[Claim]:
        for use in found:
            if use.kind is Kind.TEXT:
                yield from self._nested(use.value, where, rule, depth)
            elif use.kind is Kind.SOURCE:
                yield from self._source(use.value, where)
            elif use.kind is Kind.SERVICE:
                yield from self._path(f"/etc/init.d/{use.value}", where)
            elif use.kind is Kind.PROGRAM or use.value not in functions | BUILTINS:
                because = f"{where.name} starts {_shown(use.value)}"
                yield from self._program(use.value, where, rule, because)

    def _passes_on(self, name: str, where: Where, functions: frozenset[str]) -> bool:
        """Whether `name` is a function or a script, which may start what it is given."""
        if name in functions:
            return True
        path = self._found(name, where)
        node = self._scene.resolve(path) if path is not None else None
        return name not in BUILTINS | _REMOVES and (node is None or node.path not in self._scene.elf_files)

    def _program(self, name: str, where: Where, rule: str, because: str) -> Iterator[Claim]:
        """The program that `name` starts, wherever in PATH it is; what no value is known for, by its last part."""
        path = self._found(name, where)
        if path is None:
            return
        yield Claim(path, rule, because)
        yield from self._places.read_by(path.rpartition("/")[2])
        node = self._scene.resolve(path)
        if node is not None and node.entry.mode & 0o111 and node.path not in self._scene.elf_files:
            script = self._scene.scripts.get(node.path)
            if script is None or not script.interpreter:
                # execve(2) refuses it, and whoever asked for it has a shell read it (POSIX.1-2024, execvp()).
                self._is_shell_text(node)

    def _found(self, name: str, where: Where) -> str | None:
        places: Iterable[str] = self._places_of(name, where) if "/" in name else ()
        base = name.rpartition("/")[2]
        if "/" not in name or UNKNOWN in name:
            places = [*places, *(f"{folder}/{base}" for folder in self._folders)]
        if not base or UNKNOWN in base or len(base) > _FIRST_LINE:
            return None
        return next(filter(self._is_file, places), None)

    def _places_of(self, value: str, where: Where) -> Sequence[str]:
        """Where the file may be that `value` names."""
        if value.startswith("/"):
            return [value]
        if value.startswith(HERE):
            return [where.folder + "/" + value[1:].lstrip("/")]
        known = value.rpartition(UNKNOWN)[2]
        if known != value:
            # Where a variable has no value that is known, it is a folder beside the script, or above.
            return [f"{where.folder}{known}", f"{where.folder}/..{known}"] if known.startswith("/") else []
        return [f"{self._working_dir}/{value}", f"{where.folder}/{value}"]

    def _source(self, value: str, where: Where) -> Iterator[Claim]:
        """The file that a shell reads."""
        paths = list(self._places_of(value, where))
        if "/" not in value:
            paths += [f"{folder}/{value}" for folder in self._folders]
        if "*" in value or UNKNOWN in value:
            paths = [match for path in paths for match in self._globbed(path)]
        for path in paths:
            node = self._scene.resolve(path)
            if node is not None and node.is_file and node.path not in self._scene.elf_files:
                yield Claim(path, SOURCED, f"the shell of {where.name} reads it")
                self._is_shell_text(node)

    def _is_shell_text(self, node: Node) -> None:
        self._shell_texts.add(node.path)
        if node.path in self._followed:
            self._late.append(node)

    def _path(self, value: str, where: Where) -> Iterator[Claim]:
        """The file or directory whose path, written out, is `value`, or behind ``=`` in it."""
        for part in (value, value.rpartition("=")[2]) if "=" in value else (value,):
            if len(part) < 2 or SELF in part or len(part) > 4096 or part.endswith(UNKNOWN):
                continue
            paths: Iterable[str] = self._places_of(part, where)
            if "*" in part or UNKNOWN in part:
                paths = [match for path in paths for match in self._globbed(path)]
            for path in paths:
                if path.strip("/") and self._scene.resolve(path) is not None:
                    yield Claim(path, PATH, f"{where.name} names it")

    def _globbed(self, pattern: str) -> list[str]:
        """What matches `pattern` with anything for what is unknown; nothing where that may be all that a system has."""
        pattern = pattern.replace(UNKNOWN, "*")
        folder = pattern.partition("*")[0].rpartition("/")[0].strip("/")
        if folder in PROGRAM_FOLDERS or folder.count("/") < (2 if folder.startswith(_SHARED) else 1):
            return []
        return [path for path, _ in zip(matching(self._scene, pattern), range(MAX_GLOBBED), strict=False)]

    def _paths_in(self, text: str, where: Where) -> Iterator[Claim]:
        for path in sorted(set(_ABSOLUTE.findall(text))):
            if self._is_file(path):
                yield Claim(path, PATH, f"{where.name} names it")

    def _words(self, text: str, where: Where) -> Iterator[Claim]:
        for word in sorted(Script("", text).words or ()):
            yield from self._program(word, where, WORD, f"a word of {where.name} names it")

    def _is_file(self, path: str) -> bool:
        node = self._scene.resolve(path)
        return node is not None and node.entry.kind == FILE


def _where(node: Node) -> Where:
    return Where("/" + node.path.rpartition("/")[0], node.name)


def _shown(value: str) -> str:
    return (
        value.rpartition(UNKNOWN)[2].lstrip(HERE + SELF + "/") if UNKNOWN in value or HERE in value else value
    )
