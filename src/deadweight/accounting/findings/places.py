"""Findings by place: directories and names that are known to hold what a running container does not need."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import chain
from posixpath import normpath
from typing import NamedTuple

from deadweight.accounting.findings.kinds import KINDS, Kind
from deadweight.accounting.findings.known_places import NAMES, PLACES, Name, Place
from deadweight.accounting.model import Finding
from deadweight.accounting.programs import command_words
from deadweight.accounting.view import Portion, View
from deadweight.oci.config import Execution
from deadweight.tree.node import LinkLoop, Node, Tree

_HOMES = re.compile(r"(?:root|home/[^/]+)(?=/)")
_SAYS_NOTHING = re.compile(
    r".*(?:PATH|CACHE|CACHE_DIR|CACHE_HOME|CACHE_FOLDER|TMP|TEMP|TMPDIR|TEMPDIR)", re.IGNORECASE
)
"""Variables that say where to look or to write, which is no sign that the image needs what lies there."""
_MOST_REASONS = 5
_CORE = 4
"""The type of an ELF file that is the memory of a crashed process (ET_CORE)."""
_CORE_DUMP = Name("core", "leftovers", "memory of crashed processes")


class Places:
    """One finding for each of `KINDS` that has files."""

    def find(self, view: View) -> Iterator[Finding]:
        """The findings in the order of `KINDS`. A content counts where all its names are in places of one kind."""
        classifier = Classifier(view)
        portions: dict[str, list[Portion]] = defaultdict(list)
        sums: dict[int, int] = defaultdict(int)
        for file, place in chain(classifier.placed(view.files), _dumps(view, classifier)):
            if any(classifier.kind_of(name.path) != place.kind for name in view.other_names(file)):
                continue
            portions[place.kind].append((file, file.entry.size))
            sums[id(place)] += file.entry.size
        manager = _manager(view.merged.tree)
        for kind in KINDS:
            finding = view.suspect(
                kind.id,
                kind.title,
                f"{kind.reason} {_reasons(kind, sums)}",
                kind.remedy_for(manager),
                portions[kind.id],
            )
            if finding is not None:
                yield finding


def _dumps(view: View, classifier: Classifier) -> Iterator[tuple[Node, Name]]:
    """The memory of crashed processes, wherever it lies."""
    paths = {path for path, found in view.elf_files.items() if found.kind == _CORE}
    for file in view.files if paths else ():
        if file.path in paths and classifier.place_of(file.path) is None:
            yield file, _CORE_DUMP


class Classifier:
    """Places and kinds by path. What the config or a link from elsewhere refers to is of none."""

    def __init__(self, view: View) -> None:
        execution = view.config.execution
        words = command_words(execution)
        self._tree = view.merged.tree
        self._places = _Table(execution)
        self._names = _names()
        self._unless = {place for place in (*PLACES, *NAMES) if not words.isdisjoint(place.unless)}
        self._languages = _languages(execution)
        self._spared: dict[str, set[str]] = {}
        self._directories: dict[str, tuple[Place, str] | None] = {"": None}
        self._spare([*_references(execution), *self._linked(view)])

    def kind_of(self, path: str) -> str | None:
        """The id of the kind of the file at `path`."""
        place = self.place_of(path)
        return place.kind if place is not None else None

    def place_of(self, path: str) -> Place | Name | None:
        """The place that the file at `path` lies in, or its name where the place says nothing."""
        directory, _, name = path.rpartition("/")
        return self._place_in(directory, self._find(directory), name)

    def placed(self, files: Iterable[Node]) -> Iterator[tuple[Node, Place | Name]]:
        """Those of `files` that are in a place, with it. Sorted by path, as they are, each directory is looked up once."""
        names = self._names
        parent = found = whole = None
        directory = ""
        for file in files:
            if file.parent is not parent:
                parent = file.parent
                directory = parent.path if parent is not None else ""
                found = self._find(directory)
                whole = self._whole(found)
            place: Place | Name | None = whole
            if found is None:
                name = file.name
                rules = names.get(name[name.rfind(".") + 1 :])
                if rules is not None and name.endswith(rules.ends) and name.startswith(rules.starts):
                    place = self._by_name(rules, directory, name)
            elif whole is None:
                place = self._place_in(directory, found, file.name)
            if place is not None:
                yield file, place

    def _whole(self, found: tuple[Place, str] | None) -> Place | None:
        """The place that was `found`, if all that lies in it belongs to it."""
        return None if found is None or found[0].keep or found[1] in self._spared else found[0]

    def _place_in(self, directory: str, found: tuple[Place, str] | None, name: str) -> Place | Name | None:
        """The place of the file `name` in `directory`, which is in the place that was `found`."""
        if found is None:
            rules = self._names.get(name.rpartition(".")[2])
            return self._by_name(rules, directory, name) if rules else None
        place, root = found
        if place.keep and _compiled(place.keep).fullmatch(name):
            return None
        if root in self._spared:
            first = f"{directory}/{name}"[len(root) + 1 :].partition("/")[0]
            if first in self._spared[root]:
                return None
        return place

    def _find(self, directory: str) -> tuple[Place, str] | None:
        """The place that `directory` is, or lies in, and the path of that place."""
        known = self._directories
        unknown = []  # from the deepest up
        while directory not in known:
            unknown.append(directory)
            directory = directory.rpartition("/")[0]
        found = known[directory]
        for directory in reversed(unknown):
            above, _, name = directory.rpartition("/")
            if found is None:
                place = self._places.get(directory, name)
                if place is not None and self._holds(place, directory):
                    found = place, directory
            elif (
                found[0].kind == "locales" and found[1] == above and name.partition("_")[0] in self._languages
            ):
                found = None
            known[directory] = found
        return found

    def _by_name(self, rules: _Rules, directory: str, name: str) -> Name | None:
        for rule in rules.names:
            start, _, end = rule.name.partition("*")
            if not (name.startswith(start) and name.endswith(end)):
                continue
            if (not rule.within or _compiled(rule.within).fullmatch(directory)) and self._holds(
                rule, directory
            ):
                return rule if not self._is_spared(directory, name) else None
        return None

    def _holds(self, place: Place | Name, directory: str) -> bool:
        if place in self._unless or "" in self._spared.get(directory, ()):
            return False
        return all(self._exists(normpath(f"{directory}/{name}")) for name in place.having)

    def _exists(self, path: str) -> bool:
        try:
            return self._tree.find(path) is not None
        except LinkLoop:
            return False

    def _is_spared(self, directory: str, name: str) -> bool:
        return name in self._spared.get(directory, ())

    def _linked(self, view: View) -> Iterator[str]:
        """Where symbolic links that lie elsewhere lead to in caches and among temporary files."""
        for path, target in view.links:
            if not target.startswith("/"):
                target = f"{path.rpartition('/')[0]}/{target}"
            target = normpath(target).strip("/")
            found = self._find(target.rpartition("/")[0])
            if found is not None and found[0].kind in ("caches", "temporary"):
                own = self._find(path.rpartition("/")[0])
                if own is None or own[1] != found[1]:
                    yield target

    def _spare(self, paths: Iterable[str]) -> None:
        """Nothing is said of `paths`: of a whole place, of an entry of one with all below it, or of a name."""
        for path in list(paths):
            found = self._find(path)
            directory, _, name = path.rpartition("/")
            if found is None:
                self._spared.setdefault(directory, set()).add(name)
            elif found[1] == path:
                self._spared.setdefault(path, set()).add("")
            else:
                first = path[len(found[1]) + 1 :].partition("/")[0]
                self._spared.setdefault(found[1], set()).add(first)
        self._directories = {"": None}


class _Table:
    """`PLACES`, to be looked up by directory."""

    def __init__(self, execution: Execution) -> None:
        self._home = execution.environment().get("HOME", "/root").strip("/") or "root"
        self._homes = ("root/", "home/", self._home + "/")
        self._exact = {place.where: place for place in PLACES if "*" not in place.where}
        anywhere = [place for place in PLACES if place.where.startswith("**/")]
        self._anywhere: dict[str, list[Place]] = defaultdict(list)
        for place in anywhere:
            self._anywhere[place.where.rpartition("/")[2]].append(place)
        self._patterns = _patterns()
        self._depth = max(place.where.count("/") for place in self._patterns[1])

    def get(self, directory: str, name: str) -> Place | None:
        found = self._exact.get(directory)
        if found is None and directory.startswith(self._homes):
            found = self._exact.get(self._under_home(directory))
        if found is None and name in self._anywhere:
            for place in self._anywhere[name]:
                if ("/" + directory).endswith(place.where[2:]):
                    return place
        if found is None and directory.startswith("usr/") and directory.count("/") <= self._depth:
            match = self._patterns[0].fullmatch(directory)
            if match is not None and match.lastindex is not None:
                return self._patterns[1][match.lastindex - 1]
        return found

    def _under_home(self, directory: str) -> str:
        if directory.startswith(self._home + "/"):
            return "~" + directory[len(self._home) :]
        return _HOMES.sub("~", directory, count=1)


@cache
def _patterns() -> tuple[re.Pattern[str], list[Place]]:
    """The places with wildcards, all of them below usr, as one expression with a group for each."""
    places = [place for place in PLACES if "*" in place.where and not place.where.startswith("**/")]
    forms = ("(" + re.escape(place.where).replace(r"\*", "[^/]*") + ")" for place in places)
    return re.compile("|".join(forms)), places


class _Rules(NamedTuple):
    """Some of `NAMES`, and how the names of files begin and end that they may speak of."""

    names: tuple[Name, ...]
    starts: tuple[str, ...]
    ends: tuple[str, ...]


@cache
def _names() -> dict[str, _Rules]:
    """`NAMES` by what follows the last dot."""
    table: dict[str, list[Name]] = defaultdict(list)
    for name in NAMES:
        table[name.name.rpartition(".")[2]].append(name)
    return {suffix: _rules(names) for suffix, names in table.items()}


def _rules(names: Sequence[Name]) -> _Rules:
    halves = [name.name.partition("*") for name in names]
    return _Rules(tuple(names), tuple(start for start, _, _ in halves), tuple(end for _, _, end in halves))


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _reasons(kind: Kind, sums: Mapping[int, int]) -> str:
    """What was found, largest first; `sums` are bytes by the identity of places."""
    sizes: dict[str, int] = defaultdict(int)
    examples: dict[str, str] = {}
    for place in (*PLACES, *NAMES, _CORE_DUMP):
        if place.kind == kind.id and id(place) in sums:
            sizes[place.why] += sums[id(place)]
            examples.setdefault(place.why, place[0])
    ordered = sorted(sizes, key=lambda why: (-sizes[why], why))
    named = [f"{examples[why]} ({why})" for why in ordered[:_MOST_REASONS]]
    more = f" and {len(ordered) - _MOST_REASONS} others" if len(ordered) > _MOST_REASONS else ""
    return f"Found: {', '.join(named)}{more}."


def _references(execution: Execution) -> Iterator[str]:
    """The paths that the config speaks of as what runs, not as where to look or to write."""
    words = [*execution.entrypoint, *execution.cmd, *execution.healthcheck, *execution.volumes]
    words.append(execution.working_dir)
    for name, value in execution.environment().items():
        if not _SAYS_NOTHING.fullmatch(name):
            words.append(value)
    for word in words:
        for path in re.findall(r"/[^\s\"'=:;,|&<>()]+", word):
            if stripped := normpath(path).strip("/"):
                yield stripped


def _languages(execution: Execution) -> frozenset[str]:
    """The languages that the config asks for: ``de`` for LANG=de_DE.UTF-8."""
    environment = execution.environment()
    values = [
        value for name, value in environment.items() if name in ("LANG", "LANGUAGE") or name.startswith("LC_")
    ]
    return frozenset(re.split(r"[_.@]", one)[0] for value in values for one in value.split(":")) - {""}


def _manager(tree: Tree) -> str:
    """The package manager in the image; empty where there is none."""
    programs = {
        "apt": ("usr/bin/apt-get",),
        "apk": ("sbin/apk", "usr/bin/apk"),
        "dnf": ("usr/bin/dnf", "usr/bin/dnf5", "usr/bin/microdnf", "usr/bin/yum", "usr/bin/tdnf"),
        "zypper": ("usr/bin/zypper",),
    }
    for name, paths in programs.items():
        for path in paths:
            try:
                if tree.resolve(path) is not None:
                    return name
            except LinkLoop:
                continue
    return ""
