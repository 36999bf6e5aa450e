"""The shell, and the commands that people and lifecycle hooks start in a container: no probe uses them, and all miss them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from deadweight.evidence.closures import Quiet
from deadweight.evidence.company import PROGRAM_FOLDERS
from deadweight.evidence.globs import matching
from deadweight.evidence.model import Claim
from deadweight.evidence.scene import Scene
from deadweight.layer.entry import SYMLINK
from deadweight.tree.node import Node

SHELL = "shell"
COMMAND = "everyday-command"
APPLET = "applet"

FILES: Mapping[str, str] = {
    "etc/profile": "a login shell reads it",
    "etc/profile.d/*": "a login shell reads it",
    "etc/bash.bashrc": "an interactive bash reads it",
    "etc/inputrc": "readline reads it",
}  # fmt: skip
EVERYDAY = (
    # Of the utilities of POSIX.1-2024 those for files, text and processes that are typed or stand in hooks,
    *("[", "awk", "basename", "cat", "chmod", "chown", "cp", "cut", "date", "df", "dirname", "echo", "env", "false"),
    *("find", "grep", "head", "id", "kill", "ln", "ls", "mkdir", "mv", "printf", "ps", "pwd", "readlink", "realpath"),
    *("rm", "rmdir", "sed", "sh", "sleep", "tail", "tee", "test", "timeout", "touch", "tr", "true", "uname", "wc"),
    # and others of which the same is true. `kubectl cp` starts tar in the container.
    *("xargs", "egrep", "fgrep", "getent", "hostname", "mktemp", "printenv", "stat", "tar", "which", "whoami"),
)  # fmt: skip
"""Kept beside the shell where they are there: ``kubectl exec``, ``docker exec`` and lifecycle hooks use them, and no probe does.

Left out are those that bring large libraries along, as Debian's sort does (libcrypto), and a second shell.
"""
OF_MANY_NAMES = frozenset({"busybox", "toybox", "coreutils"})
"""Programs that do what the link that they are started by is called: such a link costs nothing."""


class ShellClosure:
    """What is needed by who gets a shell in the container. Left out, the shell and its commands stay only if something starts them."""

    name = "shell"

    def open(self, scene: Scene) -> ShellFollower:
        return ShellFollower(scene)


class ShellFollower(Quiet):
    """Knows the shell and the everyday commands of one image."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    def roots(self) -> Iterator[Claim]:
        yield Claim(
            "bin/sh", SHELL, "system(3), scripts, hooks and people who look into the container start it"
        )
        for pattern, because in FILES.items():
            yield from (Claim(path, SHELL, because) for path in matching(self._scene, pattern))
        folders = (*self._scene.search_path, *PROGRAM_FOLDERS)
        for name in EVERYDAY:
            paths = (f"{folder}/{name}" for folder in folders)
            path = next((path for path in paths if self._is_file(path)), None)
            if path is not None:
                because = "people and lifecycle hooks use it in a shell in the container"
                yield Claim(path, COMMAND, because, light=True)

    def _is_file(self, path: str) -> bool:
        node = self._scene.resolve(path)
        return node is not None and node.is_file

    def follow(self, node: Node) -> Iterator[Claim]:
        if node.name in OF_MANY_NAMES and node.is_file:
            for folder in PROGRAM_FOLDERS:
                yield from self._applets(folder, node)

    def _applets(self, folder: str, program: Node) -> Iterator[Claim]:
        top = self._scene.resolve(folder)
        for child in (top.children or {} if top is not None else {}).values():
            if child.entry.kind == SYMLINK and self._scene.resolve(child.path) is program:
                yield Claim(
                    child.path, APPLET, f"{program.name} is {child.name} too, and a link costs nothing"
                )
