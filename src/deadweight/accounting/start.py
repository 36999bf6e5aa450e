"""Whether what the config starts can be followed.

It cannot where a container ends in a shell, be it behind other programs; where what it starts is left to the arguments of
``docker run``; where it is not in the image; or where it only waits for programs that are started from outside.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from deadweight.accounting import scripts, shell
from deadweight.accounting.programs import find_program, search_path
from deadweight.layer.collect import Fact
from deadweight.oci.config import Execution
from deadweight.tree.node import Node, Tree

_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)\})")
_DOES_NOTHING = frozenset(
    {"sleep", "tail", "cat", "true", "false", "pause", "echo", "printf", "mkdir", "touch", "chmod", "chown"}
    | {":", "[", "[[", "test", "cd", "set", "trap", "wait", "exit", "export", "umask", "ulimit"}
    | {"for", "done", "fi", "case", "esac", "}"}
)
"""Programs and words of shells that are not what an image is for: where there is nothing else, its container waits."""
_MAX_SHOWN = 80
MAX_WORDS = 128
MAX_LENGTH = 16 << 10
"""Of a command, in characters."""


class NoStart(LookupError):
    """The config starts nothing that can be followed. Says why."""


class Start:
    """The entrypoint with the command."""

    def __init__(self, execution: Execution, tree: Tree, facts: Mapping[str, Fact]) -> None:
        expand = partial(_expanded, execution.environment())
        self._written = [*execution.entrypoint, *execution.cmd]
        self._command = list(map(expand, self._written))
        self._find = partial(
            find_program, tree, path=search_path(execution), working_dir=execution.working_dir or "/"
        )
        self._facts = facts

    def first(self) -> Node:
        """The program that is started first. Raises `NoStart` where what is started in the end cannot be followed."""
        if not self._command:
            raise NoStart("the config starts no program")
        if len(self._command) > MAX_WORDS or sum(map(len, self._command)) > MAX_LENGTH:
            raise NoStart("the command of the config is too long to be followed")
        first = self._find(self._command[0])
        if first is None:
            raise NoStart(
                f"the config starts {self._shown(self._command[0])}, which is not found in the image"
            )
        commands = list(self._commands())
        opened = self._opened(commands) or self._shell() or self._shell_in_script()
        if opened:
            raise NoStart(f"the config starts {self._shown(opened)}, which may start any program")
        self._check_found([words[0] for words in commands if words])
        return first

    def _commands(self) -> Iterator[Sequence[str]]:
        for words in shell.started(self._command):
            if len(words) > 2 and shell.unnamed_by(words) == shell.ARGUMENTS:
                # sh -c 'exec "$@"' NAME WORD...: what is started is WORD.
                yield from shell.started(words[2:])
            else:
                yield words

    def _opened(self, commands: Sequence[Sequence[str]]) -> str:
        """The word whose program starts what the user gives to it; empty for none."""
        if not any(commands):
            return self._command[0]
        for words in filter(None, commands):
            if shell.unnamed_by(words).startswith("$"):
                return self._command[0]
            if shell.ARGUMENTS in self._unnamed(words[-1]):
                return words[-1]
        return ""

    def _shell(self) -> str:
        """A shell, anywhere in the command, that is told nothing that can be followed; empty for none."""
        for at, word in enumerate(self._command):
            if shell.is_shell(word):
                for words in filter(None, shell.started(self._command[at:])):
                    if shell.is_shell(words[0]) and not any(map(self._is_read, words[1:])):
                        return words[0]
        return ""

    def _shell_in_script(self) -> str:
        """A script in the command that starts a shell; empty for none."""
        for word in self._command:
            if any(map(shell.is_shell, self._unnamed(word))):
                return word
        return ""

    def _script(self, word: str) -> scripts.Script | None:
        node = self._find(word)
        return scripts.of(self._facts.get(node.path)) if node is not None else None

    def _unnamed(self, word: str) -> frozenset[str]:
        script = self._script(word)
        return script.unnamed if script is not None else frozenset()

    def _is_read(self, word: str) -> bool:
        script = self._script(word)
        return script is not None and script.words is not None

    def _shown(self, word: str) -> str:
        """A word for a sentence, as the config has it: the value of a variable may be a secret, and stays out."""
        if not any(word in written for written in self._written):
            word = "what a variable names"
        return word[:_MAX_SHOWN] + "…" if len(word) > _MAX_SHOWN else word or '""'

    def _check_found(self, programs: Sequence[str]) -> None:
        """Raises `NoStart` where none of `programs` is in the image and does something."""
        named = [word for word in programs if shell.base_name(word) not in _DOES_NOTHING]
        if not named:
            raise NoStart(
                f"the config starts {self._shown(programs[-1])}, which only waits for others to be started"
            )
        # Where a variable has no value in the config, the name behind it says what is meant.
        if not any(self._find(shell.base_name(word) if "$" in word else word) for word in named):
            raise NoStart(f"the config starts {self._shown(named[-1])}, which is not found in the image")


def _expanded(environment: Mapping[str, str], word: str) -> str:
    return _VARIABLE.sub(lambda match: environment.get(match[1] or match[2], match[0]), word)
