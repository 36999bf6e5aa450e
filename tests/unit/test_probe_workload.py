"""Workloads from settings, and from what an image says of itself."""

from __future__ import annotations

import tomllib
from dataclasses import replace

import pytest

from deadweight.errors import UsageError
from deadweight.oci.config import Execution
from deadweight.probe.spec import Exec, Http, Probe, Script, Tcp
from deadweight.probe.workload import (
    DEFAULT_READY,
    MAX_PORTS,
    UNASKED_READY,
    Ports,
    Ready,
    Workload,
    complete,
    read_workloads,
    workload_of,
)
from examples.corpus.application import APPLICATIONS, names


def read(text: str) -> tuple[Workload, ...]:
    return read_workloads(tomllib.loads(text), "deadweight.toml")


def test_one_workload() -> None:
    assert read("""
        command = "serve --name 'a b'"
        env = { MODE = "test" }
        setup = ["script:./fill.sh"]
        ends = true
        probes = ["http:8080:GET /", { probe = "http:GET /x", headers = { Accept = "text/html" } }, "exec:nginx -t"]
        ready = "tcp:8080"
        timeout = 90
        network = true
    """) == (
        Workload(
            name="default",
            command=("serve", "--name", "a b"),
            env={"MODE": "test"},
            setup=(Script("./fill.sh"),),
            probes=(
                Http("GET", "/", port=8080),
                Http("GET", "/x", headers=(("Accept", "text/html"),)),
                Exec(("nginx", "-t")),
            ),
            ready=Tcp(8080),
            timeout=90.0,
            network=True,
            ends=True,
        ),
    )


def test_several_workloads() -> None:
    serve, migrate = read("""
        [[workload]]
        name = "serve"
        probes = ["http:GET /", "tcp:80"]
        [[workload]]
        name = "migrate"
        command = ["manage", "migrate"]
        ready = 0.5
    """)
    assert (serve.name, complete(serve, Execution()).ready) == ("serve", Ports((80,)))
    assert (migrate.command, migrate.ready, migrate.probes) == (("manage", "migrate"), 0.5, ())


def test_nothing_asked() -> None:
    assert read("") == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("probs = []", "deadweight.toml: slim: has the unknown key 'probs'; did you mean 'probes'?"),
        (
            "[[workload]]\nname = 'a'\nreddy = 1",
            "slim.workload 1: has the unknown key 'reddy'; did you mean 'ready'?",
        ),
        ("timeout = 3\n[[workload]]\nname = 'a'", "has the unknown key 'timeout'"),
        ("[[workload]]\nprobes = []", "slim.workload 1: has no name"),
        ("[[workload]]\nname = 'a'\n[[workload]]\nname = 'a'", "has two of the name 'a'"),
        ("[workload]\nname = 'a'", "must be at most 100 tables; write [[slim.workload]]"),
        ("workload = [1]", "must be a table"),
        ("name = '../x'", "is no name"),
        ("probes = 'http:GET /'", "must be a list"),
        ("probes = [3]", "slim.probes 1: 3 is no probe"),
        ("probes = ['tcp:1', 'tcp:x']", "slim.probes 2: probe 'tcp:x': 'x' is no port"),
        ("probes = [{ probe = 'tcp:1', headers = {} }]", "has headers, but is no HTTP probe"),
        ("probes = [{ probe = 'http:GET /', header = {} }]", "did you mean 'headers'?"),
        ('probes = [{ probe = "http:GET /", headers = { A = "b\\r\\nC: d" } }]', "'A' is no header"),
        ("ready = true", "True is no time"),
        ("ready = -1", "is no time"),
        ("timeout = 0", "leaves no time"),
        ("timeout = nan", "is no time"),
        ("timeout = 1e9", "is no time"),
        ("network = 'no'", "neither true nor false"),
        ("command = 3", "is no command"),
        ("command = [3]", "is no command"),
        ('command = "a \'b"', "no closing quotation"),
        ("env = { A = 1 }", "is no table of strings"),
    ],
)
def test_errors(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(text)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("healthcheck", "shell", "probes"),
    [
        ((), (), ()),
        (("NONE",), (), ()),
        (("CMD",), (), ()),
        (("CMD-SHELL", " "), (), ()),
        (("CMD", "curl", "-f", "http://localhost/"), (), (Exec(("curl", "-f", "http://localhost/")),)),
        (("CMD-SHELL", "curl -f localhost || exit 1"), (), (Exec(shell="curl -f localhost || exit 1"),)),
        (("CMD-SHELL", "x"), ("/bin/bash", "-c"), (Exec(("/bin/bash", "-c", "x")),)),
    ],
)
def test_a_health_check_is_a_probe(
    healthcheck: tuple[str, ...], shell: tuple[str, ...], probes: tuple[Probe, ...]
) -> None:
    workload = workload_of(Execution(healthcheck=healthcheck, shell=shell))
    assert workload.unasked == probes
    assert workload.ready == (probes[0] if probes else UNASKED_READY)


def test_exposed_ports_are_probed() -> None:
    workload = workload_of(
        Execution(exposed_ports=("443/tcp", "53/udp", "80", "0/tcp", "70000/tcp", "x/tcp"))
    )
    assert workload.unasked == (
        Tcp(80),
        Tcp(443),
        Http("GET", "/", port=80),
        Http("GET", "/", port=443),
    )
    assert (workload.ready, workload.port) == (Ports((80, 443)), 80)


def test_not_every_one_of_many_ports() -> None:
    workload = workload_of(Execution(exposed_ports=tuple(f"{port}/tcp" for port in range(1, 999))))
    assert len(workload.unasked) == 2 * MAX_PORTS


def test_what_is_asked_already_is_not_asked_again() -> None:
    execution = Execution(
        exposed_ports=("80/tcp", "81/tcp", "82/tcp"), healthcheck=("CMD", "nginx", "-t"), cmd=("nginx",)
    )
    asked = Workload(probes=(Http("GET", "/x"), Tcp(81), Exec(("nginx", "-t"))))
    whole = complete(asked, execution)
    assert whole.unasked == (Tcp(82), Http("GET", "/", port=81), Http("GET", "/", port=82))
    assert (whole.probes, whole.ready, whole.port) == (asked.probes, Ports((80, 81)), 80)
    assert complete(whole, execution) == whole
    assert complete(replace(asked, ends=True), execution).unasked == ()


@pytest.mark.parametrize(
    ("probes", "ready"),
    [
        ((), UNASKED_READY),
        ((Exec(("x",)),), DEFAULT_READY),
        ((Exec(("x",)), Http("GET", "/")), DEFAULT_READY),
        ((Exec(("x",)), Http("GET", "/", port=5)), Ports((5,))),
    ],
)
def test_when_nothing_says_that_it_is_ready(probes: tuple[Probe, ...], ready: Ready) -> None:
    assert complete(Workload(probes=probes), Execution()).ready == ready


@pytest.mark.parametrize("name", names())
def test_the_corpus_is_understood(name: str) -> None:
    path = APPLICATIONS / name / "probes.toml"
    [workload] = read_workloads(tomllib.loads(path.read_text())["slim"], str(path))
    assert workload.probes
    assert workload.ends != (workload.ready is not None)
