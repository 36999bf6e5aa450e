"""Workloads: how a container is started and what it is asked, from ``[slim]`` of ``deadweight.toml``.

[slim]
probes = ["http:GET /", "exec:nginx -t"]
ready = "tcp:8080"        # or seconds
timeout = 60              # seconds, for all of it
setup = ["script:./fill.sh"]
env = { MODE = "test" }
command = "serve --port 8080"
network = false
ends = false              # true for a job, which ends by itself

[[slim.workload]]         # or several, each with a name and the same keys
name = "migrate"
command = ["manage", "migrate"]

A probe that needs headers is a table: { probe = "http:GET /", headers = { Accept = "text/html" } }
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from deadweight.errors import UsageError
from deadweight.known_keys import require_known
from deadweight.oci.config import Execution
from deadweight.probe.spec import MAX_PORT, Exec, Http, Probe, Tcp, parse_probe

KEYS = ("name", "command", "env", "setup", "probes", "ready", "timeout", "network", "ends")
DEFAULT_NAME = "default"
DEFAULT_TIMEOUT = 60.0
DEFAULT_READY = 2.0
"""Seconds to wait where nothing tells when a container is ready."""
UNASKED_READY = 10.0
"""The same where it is asked nothing at all: a program that has ended by then is a job."""
MAX_SECONDS = 24 * 3600
MAX_WORKLOADS = 100
MAX_PROBES = 1000
MAX_PORTS = 32
"""The most ports of an image that are probed unasked."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Ready when somebody listens at each of `numbers`, or at one of them for a while."""

    numbers: tuple[int, ...]

    def __str__(self) -> str:
        return " ".join(str(Tcp(number)) for number in self.numbers)


Ready = Probe | Ports | float


@dataclass(frozen=True, slots=True)
class Workload:
    """One start of a container, and what it is asked.

    `command` replaces the image's arguments unless it is empty. `setup` runs once, when the container is ready
    and before `probes`; its answers do not count. `unasked` are probes that its user did not ask for: they count only
    if the original answers them, and twice the same. `ready` is a probe that has to be answered, or seconds to wait;
    None is for `complete` to decide, or a wait. `timeout` is in seconds. `port` is for requests that name none. One that `ends`
    is a job: what its program prints and how it ends is what it answers.
    """

    name: str = DEFAULT_NAME
    command: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    setup: tuple[Probe, ...] = ()
    probes: tuple[Probe, ...] = ()
    unasked: tuple[Probe, ...] = ()
    ready: Ready | None = None
    timeout: float = DEFAULT_TIMEOUT
    network: bool = False
    ends: bool = False
    port: int | None = None


def read_workloads(values: Mapping[str, Any], source: str) -> tuple[Workload, ...]:
    """The workloads in `values`, the table ``[slim]`` of the file `source`; none if it is empty.

    Raises `UsageError` for what is not understood, naming the nearest right key.
    """
    subject = f"{source}: slim"
    if "workload" not in values:
        require_known(values, (*KEYS, "workload"), subject)
        return (_workload(values, subject),) if values else ()
    require_known(values, ("workload",), f"{subject} with [[slim.workload]]")
    tables = values["workload"]
    if not isinstance(tables, list) or len(tables) > MAX_WORKLOADS:
        raise UsageError(
            f"{subject}.workload", f"must be at most {MAX_WORKLOADS} tables", "write [[slim.workload]]"
        )
    workloads = []
    for number, table in enumerate(tables, 1):
        place = f"{subject}.workload {number}"
        if not isinstance(table, dict):
            raise UsageError(place, "must be a table", "write [[slim.workload]]")
        require_known(table, KEYS, place)
        if "name" not in table:
            raise UsageError(place, "has no name", "give each workload one, as in name = 'serve'")
        workloads.append(_workload(table, place))
    names = [workload.name for workload in workloads]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"{subject}.workload", f"has two of the name {name!r}", "rename one")
    return tuple(workloads)


def workload_of(execution: Execution) -> Workload:
    """What an image is asked when its user asks nothing: its health check, and its exposed TCP ports.

    There may be no probes in it.
    """
    return complete(Workload(), execution)


def complete(workload: Workload, execution: Execution) -> Workload:
    """`workload` with what the config of an image adds: probes that nobody asked for, the port, and when it is ready.

    A port that is asked something already is not asked again; a job is asked nothing more.
    """
    ports = _tcp_ports(execution)
    port = ports[0] if ports and workload.port is None else workload.port
    named = {one.port or port for one in workload.probes if isinstance(one, Http)}
    named_at_all = named | {one.port for one in workload.probes if isinstance(one, Tcp)}
    unasked: tuple[Probe, ...] = (
        *(one for one in _health(execution) if one not in workload.probes),
        *(Tcp(number) for number in ports if number not in named_at_all),
        *(Http("GET", "/", port=number) for number in ports if number not in named),
    )
    return replace(
        workload,
        unasked=() if workload.ends else unasked,
        ready=_usual_ready(workload, port, unasked) if workload.ready is None else workload.ready,
        port=port,
    )


def _usual_ready(workload: Workload, port: int | None, unasked: tuple[Probe, ...]) -> Ready:
    """Connections to the ports that the probes name, or to those that are exposed; the health check; a wait."""
    asked = (one.port or port for one in workload.probes if isinstance(one, Http | Tcp))
    if numbers := tuple(dict.fromkeys(number for number in asked if number is not None)):
        return Ports(numbers)
    if ports := tuple(one.port for one in unasked if isinstance(one, Tcp)):
        return Ports(ports)
    if unasked:  # nothing but the health check
        return unasked[0]
    return DEFAULT_READY if workload.probes else UNASKED_READY


def _health(execution: Execution) -> tuple[Exec, ...]:
    """The HEALTHCHECK (Docker image-spec v1.2, `Healthcheck.Test`)."""
    kind, *words = execution.healthcheck or ("NONE",)
    if kind == "CMD" and words:
        return (Exec(argv=tuple(words)),)
    if kind == "CMD-SHELL" and words and words[0].strip():
        # SHELL of the Dockerfile is what runs it, as docker does.
        return (Exec(argv=(*execution.shell, words[0])) if execution.shell else Exec(shell=words[0]),)
    return ()


def _tcp_ports(execution: Execution) -> list[int]:
    forms = (re.fullmatch(r"([0-9]{1,5})(?:/tcp)?", text) for text in execution.exposed_ports)
    ports = {int(form[1]) for form in forms if form and 0 < int(form[1]) <= MAX_PORT}
    return sorted(ports)[:MAX_PORTS]


def _workload(values: Mapping[str, Any], subject: str) -> Workload:
    name = values.get("name", DEFAULT_NAME)
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9][\w.-]{0,63}", name, re.ASCII):
        raise UsageError(f"{subject}.name", f"{name!r} is no name", "write letters, digits, '.', '_' and '-'")
    timeout = _seconds(values.get("timeout", DEFAULT_TIMEOUT), f"{subject}.timeout")
    if timeout == 0:
        raise UsageError(f"{subject}.timeout", "leaves no time", "write seconds, as in timeout = 60")
    return Workload(
        name=name,
        command=_command(values.get("command", ()), f"{subject}.command"),
        env=_texts_by_name(values.get("env", {}), f"{subject}.env"),
        setup=_probes(values, "setup", subject),
        probes=_probes(values, "probes", subject),
        ready=_ready(values["ready"], f"{subject}.ready") if "ready" in values else None,
        timeout=timeout,
        network=_switch(values.get("network", False), f"{subject}.network"),
        ends=_switch(values.get("ends", False), f"{subject}.ends"),
    )


def _command(value: object, subject: str) -> tuple[str, ...]:
    try:
        words = shlex.split(value) if isinstance(value, str) else value
    except ValueError as error:
        raise UsageError(subject, f"is no command: {str(error).lower()}", "close the quotation") from None
    if isinstance(words, list | tuple) and all(isinstance(word, str) for word in words):
        return tuple(words)
    raise UsageError(subject, f"{value!r} is no command", "write a string, or a list of strings")


def _texts_by_name(value: object, subject: str) -> dict[str, str]:
    if isinstance(value, dict) and all(isinstance(text, str) for text in value.values()):
        return value
    raise UsageError(subject, f"{value!r} is no table of strings", 'write it as { NAME = "value" }')


def _probes(values: Mapping[str, Any], key: str, subject: str) -> tuple[Probe, ...]:
    place = f"{subject}.{key}"
    items = values.get(key, [])
    if not isinstance(items, list) or len(items) > MAX_PROBES:
        raise UsageError(
            place, f"must be a list of at most {MAX_PROBES} probes", "write it as ['http:GET /']"
        )
    return tuple(_probe(item, f"{place} {number}") for number, item in enumerate(items, 1))


def _probe(value: object, subject: str) -> Probe:
    if isinstance(value, dict):
        require_known(value, ("probe", "headers"), subject)
        probe = _probe(value.get("probe"), subject)
        if not isinstance(probe, Http):
            raise UsageError(subject, "has headers, but is no HTTP probe", "leave the headers out")
        return replace(probe, headers=_headers(value.get("headers", {}), f"{subject}.headers"))
    if not isinstance(value, str):
        raise UsageError(subject, f"{value!r} is no probe", "write text such as 'http:GET /'")
    try:
        return parse_probe(value)
    except UsageError as error:
        raise UsageError(f"{subject}: {error.subject}", error.problem, error.remedy) from None


def _headers(value: object, subject: str) -> tuple[tuple[str, str], ...]:
    headers = _texts_by_name(value, subject)
    for name, text in headers.items():
        # RFC 9110, sections 5.1 and 5.5. A line break would be another header.
        if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name) or re.search(r"[\r\n\0]", text):
            raise UsageError(subject, f"{name!r} is no header", "write a name and one line of text")
    return tuple(headers.items())


def _ready(value: object, subject: str) -> Ready:
    return _probe(value, subject) if isinstance(value, str | dict) else _seconds(value, subject)


def _seconds(value: object, subject: str) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= MAX_SECONDS:
        return float(value)
    raise UsageError(subject, f"{value!r} is no time", f"write seconds, at most {MAX_SECONDS}")


def _switch(value: object, subject: str) -> bool:
    if isinstance(value, bool):
        return value
    raise UsageError(subject, f"{value!r} is neither true nor false", "write one of them")
