"""Texts that are no scripts but hold commands for a shell: tables of cron, units, what supervisors start."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatchcase

Extract = Callable[[str], Iterator[str]]

_FIELDS = re.compile(r"\s*(?:@\w+|(?:[\d*,/A-Za-z-]+\s+){4}[\d*,/A-Za-z-]+)\s+(.+)")
_VARIABLE = re.compile(r"\s*[A-Za-z_]\w*\s*=")
_ROTATION = re.compile(r"^\s*(?:pre|post)rotate|^\s*(?:first|last)action|^\s*preremove", re.MULTILINE)
_EXEC = re.compile(r"^\s*Exec\w*\s*=\s*[-@:+!|]*(.+)$", re.MULTILINE)
_COMMAND = re.compile(r"^\s*command\s*=\s*(.+)$", re.MULTILINE)
_PROCESS = re.compile(r"^[\w-]+:\s*(.+)$", re.MULTILINE)
_INITTAB = re.compile(r"^[^#:\n]*:[^:\n]*:\w+:(.+)$", re.MULTILINE)


def _table(text: str) -> Iterator[str]:
    """The commands of a table of a user (crontab(5)); % ends a line there."""
    for line in text.splitlines():
        match = None if line.lstrip().startswith("#") or _VARIABLE.match(line) else _FIELDS.match(line)
        if match is not None:
            yield match[1].replace("\\%", "\0").replace("%", "\n").replace("\0", "%")


def _system_table(text: str) -> Iterator[str]:
    """The same for tables of the system, which name a user before the command."""
    for command in _table(text):
        yield command.partition(" ")[2] if " " in command else command.partition("\t")[2]


def _rotations(text: str) -> Iterator[str]:
    """The scripts in a configuration of logrotate(8)."""
    for match in _ROTATION.finditer(text):
        yield text[match.end() :].partition("endscript")[0]


def _all(pattern: re.Pattern[str]) -> Extract:
    def extract(text: str) -> Iterator[str]:
        yield from (match[1] for match in pattern.finditer(text))

    return extract


FORMATS: Sequence[tuple[str, Extract]] = (
    ("etc/crontab", _system_table),
    ("etc/anacrontab", _all(re.compile(r"^\s*[\d@]\S*\s+\d+\s+\S+\s+(.+)$", re.MULTILINE))),
    ("etc/cron.d/*", _system_table),
    ("var/spool/cron/*", _table),
    ("etc/crontabs/*", _table),
    ("*/crontab", _table),
    ("etc/logrotate.conf", _rotations),
    ("etc/logrotate.d/*", _rotations),
    ("etc/inittab", _all(_INITTAB)),
    ("*.service", _all(_EXEC)),
    ("*supervisor*.conf", _all(_COMMAND)),
    ("*supervisor*.ini", _all(_COMMAND)),
    ("Procfile", _all(_PROCESS)),
    ("*/Procfile", _all(_PROCESS)),
)
"""Pattern of paths (``*`` stands for slashes too) -> the texts for shells in it."""
_ENDS = ("crontab", ".service", ".conf", ".ini", "Procfile")


def commands_in(path: str) -> Extract | None:
    """What gives the texts for shells of the file at `path`; None where there are none."""
    if not path.startswith(("etc/", "var/spool/cron/")) and not path.endswith(_ENDS):
        return None
    return next((extract for pattern, extract in FORMATS if fnmatchcase(path, pattern)), None)
