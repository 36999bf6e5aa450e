"""Findings by place: directories and names that are known to hold what a running container does not need."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from deadweight.accounting.findings.known_places import KEPT, KINDS, NAMES, PLACES, Kind
from deadweight.accounting.model import Finding, Item
from deadweight.accounting.view import LiveFile, View

_HOME = re.compile(r"home/[^/]+")


class Places:
    """One finding for each of `KINDS` that has files."""

    def find(self, view: View) -> Iterator[Finding]:
        """The findings in the order of `KINDS`. A content counts where all its names are in places of one kind."""
        classifier = _Classifier(_references(view))
        items: dict[str, list[Item]] = defaultdict(list)
        for file in view.files:
            found = classifier.kind_of_file(file)
            if found is not None:
                items[found].append(view.item(file))
        for kind in KINDS:
            finding = _finding(view, kind, items[kind.id])
            if finding is not None:
                yield finding


def _finding(view: View, kind: Kind, items: list[Item]) -> Finding | None:
    return view.suspect(kind.id, kind.title, kind.reason, kind.remedy, items)


@dataclass
class _Classifier:
    """Kinds by path; what the config of the image refers to is of none."""

    references: frozenset[str]

    def __post_init__(self) -> None:
        self._directories: dict[str, str | None] = {"": None}

    def kind_of_file(self, file: LiveFile) -> str | None:
        kind = self._kind(file.path)
        if kind is None or len(file.names) == 1:
            return kind
        return kind if all(self._kind(name) == kind for name in file.names[1:]) else None

    def _kind(self, path: str) -> str | None:
        directory, _, name = path.rpartition("/")
        kind = self._kind_of_directory(directory)
        if kind is None:
            return NAMES.of(name, directory) if path not in self.references else None
        return None if path in self.references or KEPT.fullmatch(path) else kind

    def _kind_of_directory(self, path: str) -> str | None:
        known = self._directories.get(path, "")
        if known != "":
            return known
        above, _, name = path.rpartition("/")
        kind = self._kind_of_directory(above)
        if path in self.references:
            kind = None
        elif kind is None:
            kind = PLACES.get(path) or PLACES.get(_HOME.sub("~", path, count=1)) or PLACES.get(_rooted(path))
            kind = kind or PLACES.get("**/" + name)
        self._directories[path] = kind
        return kind


def _rooted(path: str) -> str:
    return "~" + path[4:] if path.startswith("root/") else path


def _references(view: View) -> frozenset[str]:
    """The paths that the config of the image speaks of."""
    execution = view.config.execution
    words = [
        *execution.entrypoint,
        *execution.cmd,
        *execution.healthcheck,
        *execution.volumes,
        execution.working_dir,
    ]
    words += [part for value in execution.environment().values() for part in value.split(":")]
    found = (part.strip("\"'") for word in words for part in word.replace("=", " ").split())
    return frozenset(path.strip("/") for path in found if path.startswith("/") and path.strip("/"))
