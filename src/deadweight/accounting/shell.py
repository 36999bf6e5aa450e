"""Shell text, read as far as it says which programs it starts.

This is no shell: quotes and here-documents are not told from other text. So it may see a start where there is none, which
costs a claim; a start that the text does name is in its words anyway (see `scripts`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from deadweight.accounting.programs import SHELLS

ARGUMENTS = "$@"
"""How `unnamed` and `unnamed_by` write what a script was called with."""
_LOGINS = frozenset({"su", "login"})
"""They start the shell of a user, unless -c says what to run."""
_MULTI_CALL = frozenset({"busybox", "toybox", "coreutils"})
_KEYWORDS = frozenset(
    {"!", "{", "if", "elif", "else", "then", "while", "until", "do", "time", "eval", "builtin", "--"}
)
_RUNNERS = {
    **dict.fromkeys(
        ("exec", "command", "env", "nohup", "nice", "ionice", "stdbuf", "setsid", "sudo", "doas"), 0
    ),
    **dict.fromkeys(("tini", "tini-static", "dumb-init", "catatonit", "docker-init", "chpst", "setpriv"), 0),
    **dict.fromkeys(("runuser", "capsh", "unshare", "with-contenv", "xvfb-run", "dbus-run-session"), 0),
    **dict.fromkeys(("gosu", "su-exec", "s6-setuidgid", "setuidgid", "timeout", "chroot", "taskset"), 1),
}
"""Programs that only start the command behind them, and how many words come before it that are no options."""
_WITH_VALUE = frozenset(
    {"-a", "-u", "-g", "-n", "-k", "-s", "-e", "-C", "--user", "--signal", "--kill-after"}
)
"""Options of runners whose value is a word of its own."""
MAX_NESTED = 8


def _any_of(words: Iterable[str]) -> str:
    return "|".join(map(re.escape, sorted(words, reverse=True)))


_SEPARATOR = re.compile(r"[;&|\n()`]")
_ASSIGNMENT = re.compile(r"\w+\+?=")
_TEXT_OPTION = re.compile(r"-[A-Za-z]*c|--command|-Command")
_VARIABLE = re.compile(r"\$\{?(@|\*|\w+)")
_ASSIGNED = re.compile(
    r"\b(\w+)\+?=|\{(\w+):?[-=]|\b(?:for|select|local|export|declare|getopts|read|mapfile|readarray|printf)\b([^\n;=]*)"
)
_MAY_BE_UNNAMED = re.compile(
    r"(?:^|[;&|\n)`]|(?<!\()\((?!\())[ \t]*+(?![\w*|. \"'-]*\))"
    rf"((?:(?:{_any_of(_KEYWORDS)}|\w+\+?=[^\s;&|()`]*+)[ \t]++)*"
    rf"[\"']?(?:\$|(?:[\w.+-]*/)*(?:{_any_of((*SHELLS, *_LOGINS, *_RUNNERS))})(?![^\s;&|\"']))[^;&|\n()`]*)"
)
"""A simple command that `unnamed_by` may find something in; no pattern of ``case``, and not within arithmetic."""
_SET_BY_SHELLS = frozenset({"0", "_", "BASH_SOURCE", "EUID", "UID", "OPTARG", "OPTIND", "NF"})
"""Variables that name the script itself, or no program; NF is one of awk's."""


def base_name(word: str) -> str:
    """What follows the last slash."""
    return word.rpartition("/")[2]


def started(command: Sequence[str]) -> Iterator[Sequence[str]]:
    """The commands that `command` starts in the end: behind programs like env, and in the text behind a shell's -c.

    One that is empty stands for a program like env with nothing behind it.
    """
    left = [(command, 0)]
    while left:
        words, depth = left.pop()
        words = _behind_runners(words)
        text = _text(words)
        if text is None:
            yield words
        elif depth == MAX_NESTED:
            yield words[:1]
        else:
            left += [
                (inner, depth + 1) for part in reversed(_SEPARATOR.split(text)) if (inner := _words(part))
            ]


def is_shell(word: str) -> bool:
    """Whether the program `word` takes any command from whoever uses it, unless told what to run."""
    return base_name(word) in SHELLS or base_name(word) in _LOGINS


def unnamed(text: str) -> set[str]:
    """What starts programs that the shell script `text` does not name.

    Those that `unnamed_by` gives, but for variables that get a value in `text`.
    """
    found: set[str] = set()
    text = text.replace("\\\n", " ")
    for part in _MAY_BE_UNNAMED.findall(text):
        found.update(unnamed_by(words) for words in started(_words(part)) if words)
    found.discard("")
    if any(one.startswith("$") and one != ARGUMENTS for one in found):
        found -= {f"${name}" for name in _assigned(text) | _SET_BY_SHELLS}
    return found


def unnamed_by(words: Sequence[str]) -> str:
    """What the command `words` starts without naming it: a shell that is told nothing to run, by its name; a variable, such
    as ``$NAME``; or `ARGUMENTS`. Empty where the command names what it starts.
    """
    first = base_name(words[0])
    variable = _VARIABLE.fullmatch(words[0].rstrip("}")) if "$" in words[0] else None
    if variable is not None:
        return ARGUMENTS if variable[1] in "@*123456789" else f"${variable[1]}"
    if first in _LOGINS:
        return first
    return _unnamed_by_shell(first, words[1:]) if first in SHELLS else ""


def _unnamed_by_shell(name: str, arguments: Sequence[str]) -> str:
    told = [word for word in arguments if not word.startswith("-")]
    if not told or "-s" in arguments:
        return name
    return ARGUMENTS if told[0] in ("$@", "$*") else ""


def _words(part: str) -> list[str]:
    """The words of a simple command, without quotes; none of a comment."""
    return [] if part.lstrip().startswith("#") else part.replace('"', "").replace("'", "").split()


def _behind_runners(words: Sequence[str]) -> Sequence[str]:
    at = 0
    while at < len(words):
        name = base_name(words[at])
        if name in _RUNNERS:
            at = _behind_options(words, at + 1) + _RUNNERS[name]
        elif name in _KEYWORDS or _ASSIGNMENT.match(name) or (name in _MULTI_CALL and at + 1 < len(words)):
            at += 1
        else:
            break
    return words[at:]


def _behind_options(words: Sequence[str], at: int) -> int:
    while at < len(words) and (words[at].startswith("-") or _ASSIGNMENT.match(words[at])):
        has_value = words[at] in _WITH_VALUE and words[at + 1 : at + 2] != ["$@"]
        at += 2 if has_value else 1
    return at


def _text(words: Sequence[str]) -> str | None:
    """What `words` tell a shell to run; None where they start no shell, or do not tell."""
    if words and is_shell(words[0]):
        for at, word in enumerate(words):
            if _TEXT_OPTION.fullmatch(word):
                return " ".join(words[at + 1 :])
    return None


def _assigned(text: str) -> set[str]:
    """The variables that get a value in `text`."""
    return {
        name for match in _ASSIGNED.finditer(text) for part in match.groups() if part for name in part.split()
    }
