"""Commands beside a program in its sandbox, and its network, as root and as an ordinary user."""

from __future__ import annotations

import json
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from busybox_images import busybox_image
from conftest import require_program
from deadweight.errors import NotFound
from deadweight.image import open_image
from deadweight.sandbox import Box, Boxed, Command, Limits, Network, open_box, open_network
from services.account import ordinary_user, python_as

ENVIRONMENT = {"PATH": "/bin"}
LIMITS = Limits(seconds=30)
CONFIG = {"Cmd": ["true"]}


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    reference = busybox_image(tmp_path_factory.mktemp("join") / "image", CONFIG)
    with open_image(reference) as image, open_box(image) as opened:
        yield opened


@pytest.fixture
def running(box: Box) -> Iterator[Boxed]:
    command = Command(("httpd", "-f", "-p", "80", "-h", "/srv"), ENVIRONMENT, "/", "web")
    with box.start(command, LIMITS) as started:
        assert started.started(30)
        yield started


def asked(
    box: Box, running: Boxed, script: str, user: str = "", limits: Limits = LIMITS
) -> tuple[int, str, str]:
    """Exit code, output, and why it was stopped."""
    command = Command(("sh", "-c", script), ENVIRONMENT, "/tmp", user)
    with box.join(running, command, limits, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as beside:
        assert beside.stdout is not None
        output = beside.stdout.read().decode()
        end = beside.wait()
    return end.code, output, end.stopped


def test_it_is_in_the_same_container(box: Box, running: Boxed) -> None:
    assert asked(box, running, "pwd; id -un; touch x; exit 3", "web") == (3, "/tmp\nweb\n", "")
    code, output, _ = asked(box, running, "ls /tmp; cat /proc/2/cmdline | tr '\\0' ' '")
    assert (code, output) == (0, "x\nhttpd -f -p 80 -h /srv ")
    assert asked(box, running, "kill -9 $$")[0] == 137
    assert asked(box, running, "echo a >/dev/stdout; echo b >/dev/stderr", "web")[1] == "a\nb\n"


def test_it_may_do_no_more_than_the_program_itself(box: Box, running: Boxed) -> None:
    for script in ("cat /proc/self/status", "env"):
        beside = asked(box, running, script)[1].splitlines()
        with box.start(
            Command(("sh", "-c", script), ENVIRONMENT, "/tmp"), LIMITS, stdout=subprocess.PIPE
        ) as alone:
            assert alone.stdout is not None
            lines = alone.stdout.read().decode().splitlines()
        kinds = ("Cap", "NoNewPrivs", "Seccomp", "Uid", "Gid", "Groups", "HOME", "PATH", "PWD", "SHLVL")
        assert [one for one in beside if one.startswith(kinds)] == [
            one for one in lines if one.startswith(kinds)
        ]
    assert "CapBnd:\t00000000a80025fb" in asked(box, running, "cat /proc/self/status", "web")[1]
    assert "NoNewPrivs:\t1" in asked(box, running, "cat /proc/self/status")[1]


@pytest.mark.parametrize("user", ["", "web"])
def test_it_ends_when_its_time_is_over(box: Box, running: Boxed, user: str) -> None:
    code, _, why = asked(box, running, "trap '' TERM; sleep 1000; :", user, Limits(seconds=0.3))
    assert (code, why) == (137, "it took more than 0.3 seconds")
    assert "sleep" not in asked(box, running, "cat /proc/[1-9]*/cmdline | tr '\\0' ' '")[1]
    hungry = "x=$(head -c 400000000 /dev/zero | tr '\\0' x); sleep 1000"
    code, _, why = asked(box, running, hungry, user, Limits(seconds=30, memory=64 << 20))
    assert code == 137
    assert why.endswith(f"bytes of memory; {64 << 20} are allowed")
    assert not running.ended()


def test_there_is_none_beside_what_has_ended(box: Box, running: Boxed) -> None:
    with pytest.raises(NotFound, match="the program: none: is not there"), box.join(
        running, Command(("none",), ENVIRONMENT), LIMITS
    ) as beside:  # fmt: skip
        beside.wait()
    with pytest.raises(NotFound, match="the user 'nobody'"):
        asked(box, running, "id", "nobody")
    process = running.first()
    with open_network(process) as network:
        network.connect(80, 5).close()
        running.kill()
        with pytest.raises(NotFound, match="has ended"):
            asked(box, running, "id")
        with pytest.raises(ConnectionError, match="refused"):
            connect_until_refused(network)
    for gone in (None, process):
        with pytest.raises(NotFound, match="has ended"), open_network(gone):
            pass


def connect_until_refused(network: Network) -> None:
    """What is killed may live a moment longer."""
    while True:
        network.connect(80, 5).close()


def test_a_command_ends_with_the_container(box: Box, running: Boxed) -> None:
    with box.join(running, Command(("sleep", "1000"), ENVIRONMENT), LIMITS) as beside:
        assert beside.started(30)
        running.kill()
        assert beside.wait().code == 137


def test_its_network_is_its_own(box: Box, running: Boxed) -> None:
    with open_network(running.first()) as network, socket.create_server(("127.0.0.1", 0)) as of_host:
        for _ in range(3):
            with network.connect(80, 5) as connection:
                connection.sendall(b"GET /none HTTP/1.0\r\n\r\n")
                assert connection.recv(100).startswith(b"HTTP/1.1 404")
        for port in (81, of_host.getsockname()[1]):
            with pytest.raises(ConnectionError, match="refused"):
                network.connect(port, 5)


AS_USER = """
import json, subprocess, sys, time
from deadweight.image import open_image
from deadweight.sandbox import Command, Limits, open_box, open_network
with open_image(sys.argv[1]) as image, open_box(image) as box:
    def asked(script, user, seconds):
        command = Command(("sh", "-c", script), {"PATH": "/bin"}, "/", user)
        with box.join(running, command, Limits(seconds=seconds), stdout=subprocess.PIPE) as beside:
            output = beside.stdout.read().decode()
            end = beside.wait()
            return [end.code, output, end.stopped]
    command = Command(("httpd", "-f", "-p", "80", "-h", "/srv"), {"PATH": "/bin"}, "/", "web")
    with box.start(command, Limits(seconds=30)) as running:
        assert running.started(30)
        found = [asked("id -un", user, 30) for user in ("", "web")]
        found += [asked("trap '' TERM; sleep 1000; :", user, 0.3) for user in ("", "web")]
        found.append(asked("cat /proc/[1-9]*/cmdline | tr '\\\\0' ' '", "", 30))
        with open_network(running.first()) as network:
            network.connect(80, 5).close()
            program = network.start(["readlink", "/proc/self/ns/net"], {"PATH": "/bin:/usr/bin"})
            found.append(program.communicate()[0].decode())
        print(json.dumps(found))
"""


def test_an_ordinary_user_needs_no_more() -> None:
    require_program("newuidmap")
    with tempfile.TemporaryDirectory() as name, ordinary_user() as user:
        reference = busybox_image(Path(name) / "image", CONFIG)
        root, web, late, late_web, left, network = json.loads(python_as(user, Path(name), AS_USER, reference))
    assert (root, web) == ([0, "root\n", ""], [0, "web\n", ""])
    assert late == late_web == [137, "", "it took more than 0.3 seconds"]
    assert "sleep" not in left[1]
    assert network.startswith("net:[")
    assert network.strip() != str(Path("/proc/self/ns/net").readlink())


def test_nothing_waits_for_a_flood(box: Box, running: Boxed) -> None:
    command = Command(("sh", "-c", "while :; do echo flood; done"), ENVIRONMENT)
    with box.join(running, command, Limits(seconds=0.5), stdout=subprocess.PIPE) as beside:
        assert beside.wait().stopped == "it took more than 0.5 seconds"
    assert not running.ended()
