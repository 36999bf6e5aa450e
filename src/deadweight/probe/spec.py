"""Probes: what is asked of a container, and how that is written.

http:GET /path            a request to the first exposed port
http:POST /path BODY      with a body
http:8080:GET /path       to another port
exec:CMD                  a command inside the container; through ``sh -c`` if it has shell characters
tcp:5432                  a connection
script:FILE               a program of the host
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from deadweight.errors import UsageError

MAX_PORT = 65535
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_WITHOUT_BODY = ("GET", "HEAD")
_HTTP_FORM = "write http:GET /path, http:POST /path BODY or http:8080:GET /path"
_QUOTED = re.compile(r"""'[^']*'|"(?:[^"\\]|\\.)*+\"""", re.DOTALL)
_SHELL_CHARACTERS = re.compile(r"[|&;<>()$`*?\[\]{}~#!\\\n]")
_ASSIGNMENT = re.compile(r"\w+=")
_UNPRINTABLE = re.compile(r"[\s\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Http:
    """A request. Without a `port` it goes to the first one that the image exposes."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""
    port: int | None = None

    def __str__(self) -> str:
        port = "" if self.port is None else f"{self.port}:"
        body = f" {self.body}" if self.body else ""
        return f"http:{port}{self.method} {self.path}{body}"


@dataclass(frozen=True, slots=True)
class Exec:
    """A command inside the container: `argv`, or the text `shell` for ``sh -c``."""

    argv: tuple[str, ...] = ()
    shell: str = ""

    def __str__(self) -> str:
        if self.shell:
            return f"exec:{self.shell}"
        # A first word such as A=1 would be an assignment if it were not quoted.
        first, *rest = (shlex.quote(word) for word in self.argv)
        return "exec:" + " ".join((f"'{first}'" if _ASSIGNMENT.match(first) else first, *rest))


@dataclass(frozen=True, slots=True)
class Tcp:
    """A connection to `port`."""

    port: int

    def __str__(self) -> str:
        return f"tcp:{self.port}"


@dataclass(frozen=True, slots=True)
class Script:
    """A program on the host at `path`, which finds the container's address in its environment."""

    path: str

    def __str__(self) -> str:
        return f"script:{self.path}"

    def program(self, folder: Path) -> str:
        """Where it is, from `folder`. Raises `UsageError` where it cannot be run."""
        path = (folder / self.path).absolute()
        if not path.exists():
            raise UsageError(str(self), f"there is no {path}", "paths of a settings file are relative to it")
        if not os.access(path, os.X_OK) or not path.is_file():
            raise UsageError(str(self), "is no program that can be run", "make it executable: chmod +x")
        return str(path)


Probe = Http | Exec | Tcp | Script


def parse_probe(text: str) -> Probe:
    """The probe that `text` names; ``str`` of it gives the text back. Raises `UsageError`."""
    kind, colon, rest = text.partition(":")
    parse = _KINDS.get(kind)
    if not colon or parse is None:
        near = get_close_matches(kind.lower(), _KINDS, 1)
        remedy = f"did you mean {near[0]}:...?" if near else f"write {_FORMS}"
        raise UsageError(_subject(text), "is no probe", remedy)
    if "\0" in rest:
        raise UsageError(_subject(text), "holds a NUL character", "leave it out")
    return parse(rest, _subject(text))


def parse_port(text: str, subject: str) -> int:
    """The port number in `text`. Raises `UsageError` naming `subject`."""
    if re.fullmatch(r"[0-9]{1,5}", text) and 0 < int(text) <= MAX_PORT:
        return int(text)
    raise UsageError(subject, f"{text[:20]!r} is no port", f"write a number from 1 to {MAX_PORT}")


def _subject(text: str) -> str:
    return f"probe {text if len(text) <= 80 else text[:77] + '...'!r}"


def _http(rest: str, subject: str) -> Http:
    if rest.startswith("//"):
        raise UsageError(subject, "is a URL", "write port and path, as in http:8080:GET /path")
    port, colon, request = rest.partition(":")
    if not (colon and port.isascii() and port.isdigit()):
        # A colon further on belongs to the path or the body.
        port, request = "", rest
    method, _, target = request.partition(" ")
    path, _, body = target.partition(" ")
    if method not in METHODS:
        near = get_close_matches(method.upper(), METHODS, 1)
        problem = f"{method[:20]!r} is no method" if method else "has no method"
        raise UsageError(subject, problem, f"did you mean {near[0]}?" if near else _HTTP_FORM)
    if not path.startswith("/"):
        raise UsageError(subject, "has no path that begins with '/'", _HTTP_FORM)
    if _UNPRINTABLE.search(path):
        raise UsageError(subject, "has a control character in its path", "write it as %XX")
    if body and method in _WITHOUT_BODY:
        raise UsageError(subject, f"gives {method} a body", "write a space in the path as %20, or use POST")
    return Http(method, path, body=body, port=parse_port(port, subject) if port else None)


def _exec(rest: str, subject: str) -> Exec:
    if not rest.strip():
        raise UsageError(subject, "has no command", "write exec:CMD, as in exec:nginx -t")
    if _needs_shell(rest):
        return Exec(shell=rest)
    try:
        return Exec(argv=tuple(shlex.split(rest)))
    except ValueError as error:
        raise UsageError(subject, f"is no command: {str(error).lower()}", "close the quotation") from None


def _needs_shell(command: str) -> bool:
    """Whether `command` means something else to a shell than its words do."""
    if _ASSIGNMENT.match(command):
        return True
    # Between double quotes a shell still expands variables and commands, and reads backslashes.
    bare = _QUOTED.sub(
        lambda quoted: re.sub(r"[^$`\\]", "", quoted[0]) if quoted[0][0] == '"' else "", command
    )
    return bool(_SHELL_CHARACTERS.search(bare))


def _tcp(rest: str, subject: str) -> Tcp:
    return Tcp(parse_port(rest, subject))


def _script(rest: str, subject: str) -> Script:
    if not rest.strip():
        raise UsageError(subject, "names no file", "write script:FILE, as in script:./smoke.sh")
    return Script(rest)


_KINDS: dict[str, Callable[[str, str], Probe]] = {
    "http": _http,
    "exec": _exec,
    "tcp": _tcp,
    "script": _script,
}
_FORMS = "http:GET /path, exec:CMD, tcp:PORT or script:FILE"
