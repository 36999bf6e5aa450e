"""What a command of a shell starts in the end: behind programs that start others, and in texts that shells are told."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from typing import NamedTuple

from deadweight.accounting.programs import SHELLS
from deadweight.evidence.closure.shell_text import Command, Word


class Kind(Enum):
    """What is done with the value of a `Use`."""

    BUILTIN_OR_PROGRAM = 1
    """It is started, unless it is a function or built into the shell."""
    PROGRAM = 2
    """It is started as a program, whatever the shell has built in."""
    SOURCE = 3
    """The shell reads the file."""
    TEXT = 4
    """The shell reads the text."""
    SERVICE = 5
    """The script of a service is started by its name."""


class Use(NamedTuple):
    """One thing that a command uses."""

    kind: Kind
    value: str


class Runner(NamedTuple):
    """A program that starts what its arguments say."""

    operands: int = 0
    """How many words that are no options come before the command."""
    valued: frozenset[str] = frozenset()
    """Options whose value is a word of its own."""
    texts: frozenset[str] = frozenset()
    """Options whose value is a text for a shell."""


def _options(words: str) -> frozenset[str]:
    return frozenset(words.split())


_PLAIN = Runner()
_AFTER_ONE = Runner(1)
RUNNERS: Mapping[str, Runner] = {
    # In shells: exec and command are no programs, but what they start is one.
    "env": Runner(0, _options("-u --unset -C --chdir -a --argv0"), _options("-S --split-string")),
    **dict.fromkeys(("nohup", "setsid", "eatmydata", "fakeroot", "linux32", "linux64", "catchsegv", "ltrace"), _PLAIN),
    **dict.fromkeys(("with-contenv", "dbus-run-session", "pidproxy", "cgexec", "ld.so", "parallel", "entr"), _PLAIN),
    **dict.fromkeys(("tini", "tini-static", "docker-init"), Runner(0, _options("-p -e"))),
    **dict.fromkeys(("dumb-init", "catatonit"), Runner(0, _options("-r --rewrite -g"))),
    **dict.fromkeys(("nice", "renice"), Runner(0, _options("-n --adjustment"))),
    "ionice": Runner(0, _options("-c -n --class --classdata")),
    "chrt": _AFTER_ONE,
    "taskset": _AFTER_ONE,
    "stdbuf": Runner(0, _options("-i -o -e --input --output --error")),
    "time": Runner(0, _options("-f -o --format --output")),
    "timeout": Runner(1, _options("-k -s --kill-after --signal")),
    "watch": Runner(0, _options("-n --interval"), frozenset()),
    "flock": Runner(1, _options("-w --wait --timeout -E --conflict-exit-code"), _options("-c --command")),
    "strace": Runner(0, _options("-e -o -p -s -u -E -a -P -I")),
    **dict.fromkeys(("sudo", "doas"), Runner(0, _options("-u -g -C -D -h -p -r -t -T -U --user --group --chdir"))),
    "setpriv": Runner(0, _options("--reuid --regid --groups --inh-caps --ambient-caps --bounding-set --securebits")),
    "capsh": Runner(0, frozenset(), _options("-c")),
    "unshare": Runner(0, _options("-R --root -w --wd -S --setuid -G --setgid")),
    "nsenter": Runner(0, _options("-t --target -S --setuid -G --setgid")),
    "chroot": Runner(1, _options("--userspec --groups")),
    **dict.fromkeys(("gosu", "su-exec", "s6-setuidgid", "setuidgid", "s6-envuidgid"), _AFTER_ONE),
    **dict.fromkeys(("envdir", "s6-envdir", "softlimit", "faketime"), _AFTER_ONE),
    "chpst": Runner(0, _options("-u -U -e -/ -n -m -d -o -p -f -c -r -t -l -L -b")),
    "su": Runner(99, _options("-s --shell -g --group"), _options("-c --command --session-command")),
    "runuser": Runner(0, _options("-u --user -s --shell -g --group -G"), _options("-c --command --session-command")),
    "script": Runner(99, _options("-t -T -I -O -B"), _options("-c --command")),
    "xargs": Runner(
        0,
        _options("-a -d -E -I -L -n -P -s --arg-file --delimiter --eof --replace --max-lines --max-args --max-procs"),
    ),
    "xvfb-run": Runner(0, _options("-n -s -f -w -e --server-args --server-num")),
    "start-stop-daemon": Runner(
        99, _options("-p --pidfile -u --user -g --group -n --name -d --chdir -c --chuid -N --nicelevel -s --signal")
    ),
    "systemd-run": Runner(0, _options("-p --property --unit -u --uid --gid")),
    **dict.fromkeys(("busybox", "toybox", "coreutils"), _PLAIN),
}  # fmt: skip
"""Programs that start the command behind them. Sources: their manual pages."""
TEXT_OPTIONS: Mapping[str, frozenset[str]] = {
    "tar": _options("-I -F --use-compress-program --to-command --info-script --new-volume-script --checkpoint-action --rsh-command"),
    "rsync": _options("-e --rsh --rsync-path"),
    "split": _options("--filter"),
    "sort": _options("--compress-program"),
    "scp": _options("-S"),
    "ssh": _options("-o"),
    "git": _options("-c --upload-pack --receive-pack"),
    "diff": _options("--diff-program"),
    "sdiff": _options("--diff-program"),
    "less": _options("-k"),
    "man": _options("-P --pager"),
    "start-stop-daemon": _options("-a --startas -x --exec"),
    "dialog": frozenset(),
}  # fmt: skip
"""Options of programs whose value is a command. Sources: their manual pages."""
ASKED = frozenset({"command", "type", "which", "hash", "whereis"})
"""They tell whether there is a program; who asks for it by them starts it then."""
_FIND_ACTIONS = frozenset({"-exec", "-execdir", "-ok", "-okdir"})
_SERVICES = frozenset({"service", "rc-service", "invoke-rc.d"})
_MAX_RUNS = 256
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*\+?=")
_TEXT_OPTION = re.compile(r"-[A-Za-z]*c|--command|-Command")


def uses(command: Command, in_shell: bool = True) -> Iterator[Use]:
    """What `command`, which a shell starts or, where it is not `in_shell`, a program, uses: each value of each word is
    looked at, and some may come twice.
    """
    seen: set[tuple[int, bool]] = set()
    left = [(0, in_shell)]
    while left and len(seen) < _MAX_RUNS:
        at, in_shell = left.pop(0)
        if at >= len(command.words) or (at, in_shell) in seen:
            continue
        seen.add((at, in_shell))
        words = command.words[at:]
        for name in words[0]:
            for found in _uses_of(name, words[1:], command, in_shell):
                if isinstance(found, Use):
                    yield found
                else:
                    left.append((at + 1 + found[0], found[1]))


Found = Use | tuple[int, bool]
"""A use, or where among the arguments another command begins, and whether the shell itself starts it."""


def _uses_of(name: str, arguments: Sequence[Word], command: Command, in_shell: bool) -> Iterator[Found]:
    base = name.rpartition("/")[2]
    if in_shell and name in _IN_SHELLS:
        yield from _IN_SHELLS[name](arguments)
        return
    yield Use(Kind.BUILTIN_OR_PROGRAM if in_shell else Kind.PROGRAM, name)
    if base in SHELLS and base not in RUNNERS:
        yield from _told(arguments, command.heredoc)
    elif base in ASKED:
        yield from (Use(Kind.PROGRAM, value) for word in arguments for value in word)
    elif base == "find":
        yield from ((at + 1, False) for at, word in enumerate(arguments) if _FIND_ACTIONS & set(word))
    elif base in _SERVICES:
        yield from (Use(Kind.SERVICE, value) for word in arguments[:2] for value in word)
    elif base in RUNNERS:
        yield from _run(RUNNERS[base], arguments)
    else:
        yield from ((at + 1, False) for at, word in enumerate(arguments) if "--" in word)
    if base in TEXT_OPTIONS:
        yield from _texts(TEXT_OPTIONS[base], arguments)


def _run(runner: Runner, arguments: Sequence[Word]) -> Iterator[Found]:
    yield from _texts(runner.texts, arguments)
    at, operands = 0, runner.operands
    while at < len(arguments):
        words = arguments[at]
        first = words[0] if words else ""
        if first in runner.valued or first in runner.texts:
            at += 2
        elif first == "--" or (first.startswith("-") and len(first) > 1) or _ASSIGNMENT.match(first):
            at += 1
        elif operands:
            operands -= 1
            at += 1
        else:
            yield at, False
            return


def _texts(options: frozenset[str], arguments: Sequence[Word]) -> Iterator[Use]:
    for at, word in enumerate(arguments):
        for value in word:
            option, equals, text = value.partition("=")
            if value in options:
                yield from (
                    Use(Kind.TEXT, text) for text in (arguments[at + 1] if at + 1 < len(arguments) else ())
                )
            elif equals and option in options:
                yield Use(Kind.TEXT, text)
            elif value[:2] in options and not value.startswith("--"):
                yield Use(Kind.TEXT, value[2:])


def _told(arguments: Sequence[Word], heredoc: str) -> Iterator[Use]:
    """What a shell is told to run: the text behind -c, else a script, else what it reads."""
    for at, word in enumerate(arguments):
        if any(map(_TEXT_OPTION.fullmatch, word)):
            texts = [one for one in arguments[at + 1 :] if not any(value.startswith("-") for value in one)]
            yield from (Use(Kind.TEXT, value) for value in (texts[0] if texts else ()))
            return
    operands = [word for word in arguments if not any(value.startswith("-") for value in word)]
    if operands:
        yield from (Use(Kind.SOURCE, value) for value in operands[0])
    elif heredoc:
        yield Use(Kind.TEXT, heredoc)


def _in_exec(arguments: Sequence[Word]) -> Iterator[Found]:
    yield from _run(Runner(0, _options("-a")), arguments)


def _in_command(arguments: Sequence[Word]) -> Iterator[Found]:
    asked = any(value in ("-v", "-V") for word in arguments[:1] for value in word)
    if asked:
        yield from (Use(Kind.PROGRAM, value) for word in arguments[1:] for value in word)
        return
    for at, word in enumerate(arguments):
        if not any(value.startswith("-") for value in word):
            yield at, True
            return


def _in_type(arguments: Sequence[Word]) -> Iterator[Found]:
    yield from (Use(Kind.PROGRAM, value) for word in arguments for value in word)


def _in_source(arguments: Sequence[Word]) -> Iterator[Found]:
    yield from (Use(Kind.SOURCE, value) for word in arguments[:1] for value in word)


def _in_eval(arguments: Sequence[Word]) -> Iterator[Found]:
    if len(arguments) == 1:
        yield from (Use(Kind.TEXT, value) for value in arguments[0])
    else:
        yield Use(Kind.TEXT, " ".join(word[0] for word in arguments if word))


def _in_trap(arguments: Sequence[Word]) -> Iterator[Found]:
    yield from (Use(Kind.TEXT, value) for word in arguments[:1] for value in word)


def _in_set(arguments: Sequence[Word]) -> Iterator[Found]:
    """``set -- PROGRAM "$@"``: what the script is called with then, often starts with ``exec "$@"``."""
    yield from ((at + 1, False) for at, word in enumerate(arguments) if "--" in word)


def _in_keyword(arguments: Sequence[Word]) -> Iterator[Found]:
    yield 0, True


KEYWORDS = frozenset({"!", "{", "}", "if", "then", "else", "elif", "while", "until", "do", "time", "coproc"})
"""Words that commands follow. The parser takes some for names of commands, as in ``! { a; }``."""
_IN_SHELLS = {
    **dict.fromkeys(KEYWORDS, _in_keyword),
    "exec": _in_exec,
    "command": _in_command,
    "builtin": _in_command,
    "type": _in_type,
    "hash": _in_type,
    ".": _in_source,
    "source": _in_source,
    "eval": _in_eval,
    "trap": _in_trap,
    "set": _in_set,
}
BUILTINS = frozenset(
    {"[", "[[", ":", "alias", "bg", "bind", "break", "builtin", "caller", "cd", "compgen", "complete", "compopt"}
    | {"continue", "declare", "dirs", "disown", "echo", "enable", "exit", "export", "false", "fc", "fg", "getopts"}
    | {"help", "history", "jobs", "kill", "let", "local", "logout", "mapfile", "popd", "printf", "pushd", "pwd", "read"}
    | {"readarray", "readonly", "return", "shift", "shopt", "suspend", "test", "times", "true", "typeset", "ulimit"}
    | {"umask", "unalias", "unset", "wait", *_IN_SHELLS}
)  # fmt: skip
"""What shells do themselves: POSIX's special built-ins, and what dash, BusyBox's ash and bash all have or no program is."""
