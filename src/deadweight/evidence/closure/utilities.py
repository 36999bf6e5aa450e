"""What POSIX promises to shell scripts, for images whose main program is one.

A script may put the name of a command together, or be given it, and its writer counts on every utility of a system. A script
that ends in another program (exec) only prepares that one's start: what it calls itself is all that it needs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from deadweight.accounting.programs import SHELLS, started
from deadweight.evidence.closures import Quiet
from deadweight.evidence.company import PROGRAM_FOLDERS
from deadweight.evidence.model import Claim
from deadweight.evidence.scene import Scene

UTILITY = "posix-utility"
UTILITIES = (
    # IEEE Std 1003.1-2024, Shell & Utilities, chapter 3, without development, batch jobs, printing, mail and terminals.
    *("awk", "basename", "bc", "cat", "chgrp", "chmod", "chown", "cksum", "cmp", "comm", "compress", "cp", "csplit", "cut"),
    *("date", "dd", "df", "diff", "dirname", "du", "echo", "ed", "env", "expand", "expr", "false", "file", "find", "fold"),
    *("getconf", "gettext", "grep", "head", "iconv", "id", "ipcrm", "ipcs", "join", "kill", "link", "ln", "locale"),
    *("logger", "logname", "ls", "mkdir", "mkfifo", "mv", "newgrp", "nice", "nl", "nohup", "od", "paste", "patch"),
    *("pathchk", "pax", "pr", "printf", "ps", "pwd", "readlink", "realpath", "renice", "rm", "rmdir", "sed", "sh", "sleep"),
    *("sort", "split", "strings", "stty", "tail", "tee", "test", "timeout", "touch", "tput", "tr", "true", "tsort", "tty"),
    *("uname", "uncompress", "unexpand", "uniq", "unlink", "uudecode", "uuencode", "wc", "who", "xargs", "zcat"),
)  # fmt: skip
_HANDS_OVER = re.compile(r"^(?:[^#\n]*[;&|({]|)\s*exec\s+(?![<>0-9])", re.MULTILINE)
"""An exec that does more than to open files."""


class UtilitiesClosure:
    """Keeps the utilities beside a shell script."""

    name = "utilities"

    def open(self, scene: Scene) -> UtilitiesFollower:
        return UtilitiesFollower(scene)


class UtilitiesFollower(Quiet):
    """Knows whether the main program of one image is a shell script."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    def roots(self) -> Iterator[Claim]:
        script = self._main_script()
        if not script:
            return
        because = f"/{script}, a shell script, is what the image is for, and POSIX promises this to scripts"
        folders = (*self._scene.search_path, *PROGRAM_FOLDERS)
        for name in UTILITIES:
            for folder in folders:
                node = self._scene.resolve(f"{folder}/{name}")
                if node is not None and node.is_file:
                    yield Claim(f"{folder}/{name}", UTILITY, because)
                    break

    def _main_script(self) -> str:
        """The path of the script that the config starts; empty where it starts something else."""
        for command in started(self._scene.execution):
            node = self._scene.program(command[0], self._scene.execution.working_dir or "/")
            script = self._scene.scripts.get(node.path) if node is not None else None
            if node is None or script is None or script.interpreter.rpartition("/")[2] not in SHELLS:
                return ""
            return node.path if not _HANDS_OVER.search(script.text or "") else ""
        return ""
