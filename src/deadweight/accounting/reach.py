"""What is reached from the programs that an image starts, and from files that no package of the distribution owns.

The chain goes through what can be read: words of the config that are programs or paths, words of shell scripts,
interpreters of scripts, libraries that ELF files need, and the dependencies that packages declare. What a program starts
by name, or opens by path, at run time is not in any of these. So where code is reached that may start anything (an
interpreter with code of its own, a supervisor), `Reach.open_ended` says so.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from deadweight.accounting import scripts
from deadweight.accounting.programs import SHELLS, find_program, runs_any_code, search_path, started
from deadweight.accounting.view import View
from deadweight.inventory.model import Package
from deadweight.tree.node import LinkLoop, Node

_WORD = re.compile(r"[A-Za-z0-9_./+@-]{2,}")
_MANAGERS = frozenset(
    {
        "apt",
        "apt-get",
        "dpkg",
        "apk",
        "rpm",
        "dnf",
        "dnf5",
        "microdnf",
        "yum",
        "tdnf",
        "zypper",
        "pacman",
        "opkg",
    }
)
_MAX_SHOWN = 80
_BIN = ("bin/", "sbin/", "usr/bin/", "usr/sbin/")


class NoStart(LookupError):
    """The config starts nothing that can be followed: no command, none that is there, or just a shell. Says which."""


@dataclass(slots=True)
class Reach:
    """What is reached. Packages are named by their position in `packages`."""

    packages: Sequence[Package]
    start: str
    """The program that the config starts."""
    requires: list[set[int]]
    """For each package those installed that it asks for."""
    required_by: list[set[int]]
    reached: set[int] = field(default_factory=set)
    open_ended: str = ""
    """A reached program that may start any other, if there is one."""

    def below(self, starts: Iterable[int]) -> set[int]:
        """`starts` and all that they require, directly or not."""
        found: set[int] = set()
        stack = list(starts)
        while stack:
            one = stack.pop()
            if one not in found:
                found.add(one)
                stack += self.requires[one]
        return found


def reach(view: View, packages: Sequence[Package]) -> Reach:
    """What is reached in an image with `packages`, those of its distribution. Raises `NoStart`."""
    requires = _requirements(view, packages)
    required_by: list[set[int]] = [set() for _ in packages]
    for number, required in enumerate(requires):
        for one in required:
            required_by[one].add(number)
    found = Reach(packages, "", requires, required_by)
    _Walk(view, found).walk()
    return found


class _Walk:
    """Follows files and packages, each once."""

    def __init__(self, view: View, found: Reach) -> None:
        self._view = view
        self._found = found
        self._tree = view.merged.tree
        self._elf = view.elf_files
        self._scripts = dict(view.facts.live(scripts.SCRIPTS))
        self._path = search_path(view.config.execution)
        self._owners = view.inventory.owners
        self._numbers = {id(package): number for number, package in enumerate(found.packages)}
        self._libraries = _libraries(view)
        self._needed: set[str] = set()
        self._words: set[str] = set()
        self._files: set[str] = set()
        self._files_left: list[str] = []
        self._packages_left: list[int] = []

    def walk(self) -> None:
        self._start()
        for path in (*self._elf, *self._scripts):
            if self._owner(path) is None:
                self._files_left.append(path)
        for number, package in enumerate(self._found.packages):
            if package.essential or _is_manager(package):
                self._packages_left.append(number)
        while self._files_left or self._packages_left:
            if self._files_left:
                self._follow(self._files_left.pop())
            else:
                self._reach(self._packages_left.pop())

    def _start(self) -> None:
        """Takes every program and file that the config names; raises `NoStart` where there is nothing but a shell."""
        execution = self._view.config.execution
        commands = [list(command) for command in started(execution) if command]
        if not execution.entrypoint and not execution.cmd:
            raise NoStart("the config starts no program")
        first = find_program(self._tree, commands[0][0], self._path, execution.working_dir or "/")
        if first is None:
            raise NoStart(f"the config starts {_shown(commands[0][0])}, which is not found in the image")
        self._found.start = first.path
        words = [word for command in commands for part in command for word in _WORD.findall(part)]
        named = [first, *self._programs(words)]
        if all(node.name in SHELLS for node in named):
            raise NoStart(f"the config starts {_shown(commands[0][0])}, which may start any program")
        for node in named:
            self._run(node)
        for value in execution.environment().values():
            for node in self._programs(word for word in _WORD.findall(value) if "/" in word):
                self._files_left.append(node.path)

    def _programs(self, words: Iterable[str]) -> Iterator[Node]:
        """The files that `words` name, by path or as programs, each word once."""
        directory = self._view.config.execution.working_dir or "/"
        for word in words:
            if word not in self._words:
                self._words.add(word)
                node = find_program(self._tree, word, self._path, directory)
                if node is not None:
                    yield node

    def _run(self, node: Node) -> None:
        """`node` is started by what no package of the distribution owns."""
        if runs_any_code(node.name):
            self._found.open_ended = self._found.open_ended or node.path
        self._files_left.append(node.path)

    def _follow(self, path: str) -> None:
        """The file at `path` is reached."""
        if path in self._files:
            return
        self._files.add(path)
        owner = self._owner(path)
        if owner is not None:
            self._packages_left.append(owner)
        script = scripts.of(self._scripts.get(path))
        if owner is None and script is not None:
            self._follow_script(path, script)
        self._files_left += self._loaded(path)

    def _follow_script(self, path: str, script: scripts.Script) -> None:
        """`path` is a script of no package: anything that its words name may be started."""
        interpreter = self._interpreter(script)
        if interpreter is not None:
            self._run(interpreter)
        if script.words is not None:
            for node in self._programs(sorted(script.words)):
                self._run(node)
        elif interpreter is not None and interpreter.name in SHELLS:
            self._found.open_ended = self._found.open_ended or path

    def _reach(self, number: int) -> None:
        """The package is reached, with all that it requires and all that its files load."""
        if number in self._found.reached:
            return
        self._found.reached.add(number)
        self._packages_left += self._found.requires[number]
        for path in self._found.packages[number].paths:
            self._files_left += self._loaded(path)

    def _loaded(self, path: str) -> list[str]:
        """What the file at `path` cannot start without: libraries and its interpreter. A library is given once."""
        found = self._elf.get(path)
        if found is not None:
            names = [*found.needed, found.interpreter.rpartition("/")[2]]
            new = [name for name in names if name not in self._needed]
            self._needed.update(new)
            return [library for name in new for library in self._libraries.get(name, ())]
        script = scripts.of(self._scripts.get(path))
        interpreter = self._interpreter(script) if script is not None else None
        return [interpreter.path] if interpreter is not None else []

    def _interpreter(self, script: scripts.Script) -> Node | None:
        return find_program(self._tree, script.interpreter, self._path) if script.interpreter else None

    def _owner(self, path: str) -> int | None:
        return self._numbers.get(id(self._owners.get(path)))


def _shown(word: str) -> str:
    """A word of the config, as the config has it, for a sentence."""
    return word[:_MAX_SHOWN] + "…" if len(word) > _MAX_SHOWN else word or '""'


def _requirements(view: View, packages: Sequence[Package]) -> list[set[int]]:
    """For each package those that satisfy one of its requirements: of alternatives all that are installed."""
    providers: dict[str, list[int]] = defaultdict(list)
    for number, package in enumerate(packages):
        for name in {package.name, *package.provides}:
            providers[name].append(number)
    numbers = {id(package): number for number, package in enumerate(packages)}
    for path in {
        name for package in packages for names in package.requires for name in names if name[:1] == "/"
    }:
        # rpm packages may require a file, by a path that leads through links.
        node = find_program(view.merged.tree, path, ())
        if node is not None and (owner := numbers.get(id(view.inventory.owners.get(node.path)))) is not None:
            providers[path].append(owner)
    requires = [
        {
            one
            for alternatives in package.requires
            for name in alternatives
            for one in providers.get(name, ())
            if one != number
        }
        for number, package in enumerate(packages)
    ]
    for number, package in enumerate(packages):
        # What comes along with others on its own does so because they use it.
        for name in package.install_if:
            for one in providers.get(name, ()):
                if one != number:
                    requires[one].add(number)
    return requires


def _libraries(view: View) -> dict[str, list[str]]:
    """File name of a shared object -> the real paths of all files, and of targets of links, with that name."""
    found: dict[str, list[str]] = defaultdict(list)
    for path, node in view.merged.tree.walk():
        name = node.name
        if ".so" not in name:
            continue
        if node.is_file:
            found[name].append(path)
        elif not node.is_directory:
            try:
                target = view.merged.tree.resolve(path)
            except LinkLoop:
                continue
            if target is not None and target.is_file:
                found[name].append(target.path)
    return found


def _is_manager(package: Package) -> bool:
    return any(path.startswith(_BIN) and path.rpartition("/")[2] in _MANAGERS for path in package.paths)
