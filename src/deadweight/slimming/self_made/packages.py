"""Whether Node.js finds the packages that are there, and those that they depend on. None of them is loaded."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from deadweight.inventory.model import NPM
from deadweight.inventory.node import installed_as
from deadweight.probe.observation import Failure
from deadweight.slimming.recorded import Recorded
from deadweight.slimming.selection import Known
from deadweight.slimming.self_made.probe import Lack, Questioned, script, started_programs

MAX_PACKAGES = 20_000
"""The most packages that are asked about: the first by path."""
_RUNTIME = re.compile(r"(?:.*/)?(?:node|nodejs)[\d.]*")


def packages_probes(known: Known, recorded: Recorded) -> Iterator[PackagesProbe]:
    """One for each Node.js that a run started, where there are packages."""
    packages = [one for one in known.scene.inventory.packages if one.ecosystem == NPM]
    packages.sort(key=lambda package: package.source)
    requires = {
        package.source: (installed_as(package.source), *sorted({names[0] for names in package.requires}))
        for package in packages[:MAX_PACKAGES]
    }
    for program in sorted(started_programs(known, recorded)):
        if requires and _RUNTIME.fullmatch(program) and program in known.scene.elf_files:
            yield PackagesProbe(f"/{program}", requires)


@dataclass(frozen=True, slots=True)
class PackagesProbe:
    """Looks for packages as ``require`` does."""

    program: str
    requires: Mapping[str, tuple[str, ...]]
    """Its own name, and those that it depends on, by the path of a package's ``package.json``: one that is gone is not asked
    about.
    """

    @property
    def name(self) -> str:
        return f"node:{self.program}"

    def ask(self, image: Questioned) -> frozenset[Lack] | Failure:
        """The names that are not found, by package."""
        asked = {
            f"/{source.rpartition('/')[0]}": names
            for source, names in self.requires.items()
            if image.tree.find(source) is not None
        }
        said = image.run(image.own_command(self.program, "-e", script("find_packages.js")), json.dumps(asked))
        if isinstance(said, Failure):
            return said
        lacks = _read(said)
        if lacks is None:
            return Failure(f"{self.program} printed no list of packages")
        return frozenset(lacks)


def _read(said: str) -> list[Lack] | None:
    try:
        found = json.loads(said)
        return [Lack(str(folder).lstrip("/"), str(name)) for folder, name in found]
    except (ValueError, TypeError, RecursionError):
        return None
