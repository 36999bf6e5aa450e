"""Whether the commands are there of every script for a shell that there is evidence for. Nothing is run for it.

A script that stays for the sake of its package alone is not asked about: what nobody starts may name what only other systems
have, or what the package only suggests.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping

from deadweight.accounting.programs import find_program, search_path
from deadweight.evidence.closure.shell_commands import BUILTINS, Kind, uses
from deadweight.evidence.closure.shell_text import HERE, SELF, UNKNOWN, parse
from deadweight.evidence.scene import Scene
from deadweight.probe.observation import Failure
from deadweight.slimming.recorded import Recorded
from deadweight.slimming.selection import Known
from deadweight.slimming.self_made.probe import Lack, Questioned

MAX_SCRIPTS = 2000
"""The most scripts that are read: the first by path."""
MAX_COMMANDS = 1000
"""The most commands of one script that are looked for."""
_SHELLS = frozenset({"sh", "bash", "dash", "ash", "ksh", "mksh"})
_NOT_KNOWN = frozenset({UNKNOWN, HERE, SELF})
_PROGRAMS = frozenset({Kind.PROGRAM, Kind.BUILTIN_OR_PROGRAM})


def commands_probes(known: Known, recorded: Recorded) -> Iterator[CommandsProbe]:
    """One where there are such scripts, and they can be executed."""
    commands = commands_of_scripts(known.scene, known.evidence.reasons)
    if commands:
        yield CommandsProbe(commands)


class CommandsProbe:
    """Looks for the values of `commands`; the keys are the real paths of the scripts that name them."""

    name = "commands:"

    def __init__(self, commands: Mapping[str, tuple[str, ...]]) -> None:
        self._commands = commands

    def ask(self, image: Questioned) -> frozenset[Lack] | Failure:
        """The commands that are not found, by script."""
        path, place = search_path(image.execution), image.execution.working_dir or "/"
        names = {name for commands in self._commands.values() for name in commands}
        missing = {name for name in names if find_program(image.tree, name, path, place) is None}
        return frozenset(
            Lack(script, name)
            for script, commands in self._commands.items()
            if image.tree.find(script) is not None
            for name in commands
            if name in missing
        )


def commands_of_scripts(scene: Scene, paths: Container[str]) -> Mapping[str, tuple[str, ...]]:
    """The programs that each script for a shell among `paths` names, its interpreter first; builtins and functions are none."""
    found: dict[str, tuple[str, ...]] = {}
    for path, script in sorted(scene.scripts.items()):
        node = scene.tree.find(path)
        name = script.interpreter.rpartition("/")[2]
        if path not in paths or node is None or name not in _SHELLS or not node.entry.mode & 0o111:
            continue
        text = script.text if script.text is not None else scene.text(node)
        found[path] = tuple(dict.fromkeys([script.interpreter, *_named(text or "", scene)]))
        if len(found) == MAX_SCRIPTS:
            break
    return found


def _named(text: str, scene: Scene) -> list[str]:
    read = parse(text, scene.environment)
    if read.broken:
        return []
    names = {
        use.value
        for command in read.commands
        for use in uses(command)
        if use.kind in _PROGRAMS and use.value and not _NOT_KNOWN.intersection(use.value)
        if use.kind is Kind.PROGRAM or use.value not in read.functions | BUILTINS
    }
    return sorted(names)[:MAX_COMMANDS]
