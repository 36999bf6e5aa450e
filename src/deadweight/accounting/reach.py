"""What is reached from the programs that an image starts, and from files that no package of the distribution owns.

The chain goes through what can be read: words of the config that are programs or paths, words of shell scripts,
interpreters of scripts, libraries that ELF files need, and the dependencies that packages declare. What a program starts
by name, or opens by path, at run time is not in any of these. So where code is reached that may start anything (an
interpreter with code of its own, a supervisor, a script that ends in a shell), `Reach.open_ended` says so.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from deadweight.accounting import scripts
from deadweight.accounting.programs import SHELLS, find_program, runs_any_code, search_path, started
from deadweight.accounting.shell import ARGUMENTS, base_name
from deadweight.accounting.start import Start
from deadweight.accounting.view import View
from deadweight.inventory.model import Package
from deadweight.tree.node import LinkLoop, Node

_WORD = re.compile(r"[A-Za-z0-9_./+@][A-Za-z0-9_./+@-]+|\b[A-Z]\b")
"""As in `scripts`."""
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
_BIN = ("bin/", "sbin/", "usr/bin/", "usr/sbin/")


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
        self._environment = view.config.execution.environment()
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
        """Takes every program and file that the config names; raises `NoStart` where what it starts cannot be followed."""
        execution = self._view.config.execution
        self._found.start = Start(execution, self._tree, self._scripts).first().path
        for command in started(execution):
            self._run_words(command)
            for part in command:
                self._run_words(_WORD.findall(part))
        for value in self._environment.values():
            # Scripts start programs by the names that variables hold, such as EDITOR.
            words = _WORD.findall(value)
            self._run_words([*words[:1], *(word for word in words if "/" in word)])

    def _run_words(self, words: Iterable[str]) -> None:
        """Starts the files that `words` name, by path or as programs, each word once."""
        for word in words:
            if word not in self._words:
                self._words.add(word)
                node = self._find(word)
                if node is not None:
                    self._run(node, word)

    def _find(self, word: str) -> Node | None:
        directory = self._view.config.execution.working_dir or "/"
        node = find_program(self._tree, word, self._path, directory)
        first, slash, rest = word.partition("/")
        if node is None and (first or "bin/" in rest) and slash:
            # $JAVA_HOME/bin/java is the word JAVA_HOME/bin/java, and $(where)/bin/java the word /bin/java.
            place = f"{self._environment.get(first, '')}/{rest}"
            node = find_program(self._tree, place, ())
            node = node or find_program(self._tree, base_name(word), self._path)
        return node

    def _run(self, node: Node, word: str) -> None:
        """`node` is started as `word` by what no package of the distribution owns."""
        # Programs of many names, such as busybox, are what they are called.
        if runs_any_code(base_name(word)) or runs_any_code(node.name):
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
            self._run(interpreter, script.interpreter)
        if script.words is not None:
            self._run_words(sorted(script.words))
        if self._is_open(script, interpreter):
            self._found.open_ended = self._found.open_ended or path

    def _is_open(self, script: scripts.Script, interpreter: Node | None) -> bool:
        """Whether `script` may start what its words, those of the config, and those that it is called with do not name."""
        if script.words is None:
            return interpreter is not None and interpreter.name in SHELLS
        known = {f"${name}" for name in self._environment} | {ARGUMENTS}
        return not script.unnamed <= known

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
    for node in view.merged.tree.leaves:
        name = node.name
        if ".so" not in name:
            continue
        if node.is_file:
            found[name].append(node.path)
        else:
            try:
                target = view.merged.tree.resolve(node.path)
            except LinkLoop:
                continue
            if target is not None and target.is_file:
                found[name].append(target.path)
    return found


def _is_manager(package: Package) -> bool:
    return any(path.startswith(_BIN) and path.rpartition("/")[2] in _MANAGERS for path in package.paths)
