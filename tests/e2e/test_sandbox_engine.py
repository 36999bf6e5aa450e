"""Programs of an image in containers of a real Docker engine and of podman."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from busybox_images import busybox_image
from conftest import require, require_program
from deadweight.errors import NotFound, Unsupported
from deadweight.image import open_image
from deadweight.oci.config import Execution
from deadweight.probe.observation import Failure
from deadweight.probe.record import record
from deadweight.probe.recording import Recording
from deadweight.probe.spec import parse_probe
from deadweight.probe.workload import Workload, complete
from deadweight.sandbox import Choice, Command, Limits, Starter, open_sandbox
from deadweight.transport.base import Access
from image_samples import debian_layer, dpkg_package
from layer_stacks import Item
from services.engine import Engine

pytestmark = pytest.mark.engine
KINDS = ("docker", "podman")
LIMITS = Limits(seconds=60)
CONFIG: dict[str, Any] = {
    "Cmd": ["httpd", "-f", "-p", "8080", "-h", "/srv"],
    "ExposedPorts": {"8080/tcp": {}},
    "WorkingDir": "/srv",
    "StopSignal": "SIGKILL",
    "User": "web",
    "Env": ["WHO=image"],
    "Volumes": {"/data": {}},
}
ITEMS = [Item("srv/page", "f", b"hello\n"), Item("data", "d")]


@pytest.fixture(autouse=True)
def no_engine_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module", params=KINDS)
def choice(request: pytest.FixtureRequest) -> Choice:
    if request.param == "podman":
        require_program("podman")
        require(os.geteuid() == 0, "root, as which podman needs no more here,")
        request.getfixturevalue("storage_of_podman")
        return Choice("podman")
    engine: Engine = request.getfixturevalue("engine")
    return Choice("docker", Access(engine=engine.address))


@pytest.fixture(scope="module")
def storage_of_podman() -> Iterator[None]:
    """One of its own: what other tests and users have is not ours to count (containers-storage.conf(5))."""
    with tempfile.TemporaryDirectory(prefix="dw-") as folder, pytest.MonkeyPatch.context() as patch:
        config = Path(folder) / "storage.conf"
        config.write_text(
            f'[storage]\ndriver = "overlay"\ngraphroot = "{folder}/graph"\nrunroot = "{folder}/run"\n'
        )
        patch.setenv("CONTAINERS_STORAGE_CONF", str(config))
        yield
        podman = require_program("podman")
        subprocess.run([podman, "system", "reset", "--force"], check=True, capture_output=True)


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> str:
    return busybox_image(tmp_path_factory.mktemp("engine-sandbox") / "image", CONFIG, ITEMS)


@pytest.fixture(scope="module")
def opened(reference: str, choice: Choice) -> Iterator[tuple[Starter, Execution]]:
    with open_image(reference) as image, open_sandbox(image, choice) as box:
        yield box, image.config.execution


@pytest.fixture
def box(opened: tuple[Starter, Execution]) -> Starter:
    return opened[0]


def options(choice: Choice) -> list[str]:
    return ["--sandbox", choice.kind, *(["--engine", choice.access.engine] if choice.access.engine else [])]


def shell(script: str, user: str = "") -> Command:
    return Command(("sh", "-c", script), {"PATH": "/bin", "WHO": "me"}, "/", user)


def asked(box: Starter, script: str, user: str = "", limits: Limits = LIMITS) -> tuple[int, str, str]:
    """Exit code, output, and why it was stopped."""
    pipe, both = subprocess.PIPE, subprocess.STDOUT
    with box.start(shell(script, user), limits, stdout=pipe, stderr=both) as running:
        assert running.started(20)
        assert running.stdout is not None
        output = running.stdout.read().decode()
        end = running.wait()
    return end.code, output, end.stopped


def left(choice: Choice) -> list[str]:
    """What of ours an engine has."""
    client = [require_program(choice.kind)]
    if choice.access.engine:
        client += ["--host", choice.access.engine]
    lines: list[str] = []
    for what in (["ps", "--all"], ["images", "--all"], ["network", "ls"], ["volume", "ls"]):
        label = ["--filter", "label=deadweight.sandbox"] if what[0] != "volume" else []
        done = subprocess.run([*client, *what, "--quiet", *label], capture_output=True, text=True, check=True)
        lines += [f"{what[0]} {line}" for line in done.stdout.splitlines()]
    return lines


def test_streams_and_exit_codes_are_those_of_the_program(box: Starter) -> None:
    code, output, why = asked(box, "echo out; echo err >&2; exit 3")
    assert (code, sorted(output.split()), why) == (
        3,
        ["err", "out"],
        "",
    )  # an engine keeps no order of two streams
    command = shell("echo out; echo err >&2; head -c 300000 /dev/zero")
    with box.start(command, LIMITS, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        assert running.stdout.read() == b"out\n" + bytes(300000)
        assert running.stderr.read() == b"err\n"
        assert running.wait().code == 0
        assert running.ended()


def test_it_is_who_and_where_it_is_told(box: Starter) -> None:
    assert asked(box, "id -u; id -g; pwd; echo $WHO")[1].split() == ["0", "0", "/", "me"]
    assert asked(box, "id -u; id -g; echo $HOME", "web")[1].split() == ["33", "34", "/srv"]
    assert asked(box, "id -u; id -g", "1234:99")[1].split() == ["1234", "99"]


def test_it_is_kept_within_bounds(box: Starter) -> None:
    status = asked(box, "cat /proc/self/status")[1]
    assert "NoNewPrivs:\t1" in status
    bound = next(line.split()[1] for line in status.splitlines() if line.startswith("CapBnd"))
    assert int(bound, 16) & ~0xA80425FB == 0  # Docker's default set
    assert int(asked(box, "ls /proc | /bin/busybox grep -c '^[0-9]'")[1]) < 8


def test_nothing_that_is_written_stays(box: Starter) -> None:
    assert asked(box, "touch /x /data/y && ls /x /data/y")[0] == 0
    assert asked(box, "ls /x || ls /data/y")[0] != 0


def test_its_network_leads_nowhere(box: Starter, choice: Choice) -> None:
    devices = asked(box, "cat /proc/net/dev")[1].splitlines()[2:]
    if choice.kind == "podman":
        assert [line.split(":")[0].strip() for line in devices] == ["lo"]
        return
    # The tests' engine makes no rules of a firewall, which are what keeps an internal network so: it knows that it is to.
    label = ["--filter", "label=deadweight.sandbox", "--filter", "driver=bridge"]
    client = [require_program("docker"), "--host", choice.access.engine, "network"]
    found = subprocess.check_output([*client, "ls", "--quiet", *label], text=True).split()
    assert found
    known = json.loads(subprocess.check_output([*client, "inspect", *found], text=True))
    assert all(network["Internal"] for network in known)


def test_limits_end_it(box: Starter) -> None:
    code, _, why = asked(box, "trap '' TERM; sleep 60", limits=Limits(seconds=1))
    assert (code, why) == (137, "it took more than 1 seconds")
    bomb = "f() { f | f & }; f 2>/dev/null; sleep 60"
    code, _, why = asked(box, bomb, limits=Limits(seconds=3, processes=30))
    assert (code, why) == (137, "it took more than 3 seconds")
    code, _, why = asked(box, "/bin/busybox yes >/tmp/big", limits=Limits(seconds=60, scratch=8 << 20))
    assert code == 137
    assert why.endswith(f"bytes; {8 << 20} are allowed")
    hungry = "x=$(head -c 200000000 /dev/zero | tr '\\0' x); sleep 60"
    code, _, why = asked(box, hungry, limits=Limits(seconds=60, memory=64 << 20))
    assert code == 137
    assert why in ("", f"it took more than {64 << 20} bytes of memory")  # podman does not always say so


def test_it_can_be_asked_to_stop(box: Starter) -> None:
    polite = shell("trap 'echo bye; exit 7' TERM; echo ready; while :; do sleep 0.05; done")
    with box.start(polite, LIMITS, stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == b"ready\n"
        assert running.stop(signal.SIGTERM)
        assert running.stdout.read() == b"bye\n"
        assert running.wait().code == 7
    stubborn = shell("trap '' TERM; echo ready; while :; do sleep 0.05; done")
    with box.start(stubborn, LIMITS, stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == b"ready\n"
        assert not running.stop(signal.SIGTERM, grace=0.5)
        assert running.wait().code == 137


@pytest.mark.parametrize(
    ("argv", "user", "problem"),
    [
        (("none",), "", 'exec: "none": executable file not found'),
        (("/etc/passwd",), "", 'exec: "/etc/passwd": permission denied'),
        (("true",), "nobody", "unable to find user nobody"),
    ],
)
def test_a_program_that_cannot_be_started(
    box: Starter, argv: tuple[str, ...], user: str, problem: str
) -> None:
    command = Command(argv, {"PATH": "/bin"}, "/", user)
    with box.start(command, LIMITS, stdout=subprocess.PIPE) as running:
        assert not running.started(10)
        assert running.ended()
        with pytest.raises(NotFound, match=f"^the program: {problem}"):
            running.wait()


def test_commands_beside_it(box: Starter) -> None:
    pipe = subprocess.PIPE
    with box.start(shell("touch /tmp/here; echo ready; sleep 60"), LIMITS, stdout=pipe) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == b"ready\n"
        with box.join(running, shell("ls /tmp; id -u; exit 4", "web"), LIMITS, stdout=pipe) as inner:
            assert inner.stdout is not None
            assert inner.stdout.read() == b"here\n33\n"
            assert inner.wait().code == 4
        for argv in (("none",), ("/etc/passwd",)):
            command = Command(argv, {"PATH": "/bin"})
            with (
                box.join(running, command, LIMITS, stdout=pipe, stderr=pipe) as inner,
                pytest.raises(NotFound, match=r"^the program: exec: "),
            ):
                inner.wait()
        with box.join(running, shell("sleep 60"), Limits(seconds=0.5), stdout=pipe) as inner:
            assert inner.wait().stopped == "it took more than 0.5 seconds"
        # What a command leaves behind may hold its output open.
        with box.join(running, shell("sleep 50 & exit 5"), LIMITS, stdout=pipe) as inner:
            assert inner.wait().code == 5
        running.kill()
        with pytest.raises(NotFound, match="has ended"), box.join(running, shell("true"), LIMITS):
            pass
        with pytest.raises(NotFound, match="has ended"), running.network():
            pass


def workload(*probes: str, setup: tuple[str, ...] = (), **more: Any) -> Workload:
    return Workload(
        probes=tuple(map(parse_probe, probes)),
        setup=tuple(map(parse_probe, setup)),
        **{"timeout": 60.0, **more},
    )


def answers(recording: Recording) -> Mapping[str, Any]:
    return {answer.probe: answer.observation for answer in recording.answers}


def test_probes_are_answered(opened: tuple[Starter, Execution], tmp_path: Path) -> None:
    box, execution = opened[0], replace(opened[1], stop_signal="SIGTERM")
    script = tmp_path / "own"
    script.write_text(
        f"#!{sys.executable}\nimport os, urllib.request as request\n"
        "print(request.urlopen(os.environ['DEADWEIGHT_URL'] + '/page').read().decode(), end='')\n"
    )
    script.chmod(0o755)
    probes = ("http:GET /page", "tcp:8080", "tcp:81", "exec:cat /tmp/filled", "exec:sleep 9", "exec:none")
    what = workload(*probes, "script:./own", setup=("exec:touch /tmp/filled",))
    found = answers(record(box, execution, complete(what, execution), folder=tmp_path))
    assert (found["http:GET /page"].status, found["http:GET /page"].body) == (200, b"hello\n")
    assert found["tcp:8080"].accepted
    assert not found["tcp:81"].accepted
    assert found["exec:cat /tmp/filled"].code == 0
    assert found["exec:sleep 9"].code == 0
    assert found["exec:none"].reason.startswith('the program: exec: "none"')
    assert found["script:./own"].stdout == b"hello\n"
    assert isinstance(found["stop:TERM"], Failure)  # busybox's httpd, as process 1, does not hear it


def test_a_job_is_one(opened: tuple[Starter, Execution]) -> None:
    box, execution = opened
    job = workload("exec:cat page", ends=True, command=("sh", "-c", "pwd; id -u; exit 2"))
    found = answers(record(box, execution, job))
    assert (found["start:"].code, found["start:"].stdout) == (2, b"/srv\n33\n")
    assert found["exec:cat page"].stdout == b"hello\n"


def deadweight(*arguments: str, cwd: Path, **more: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "deadweight", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd, timeout=200, **more)


def test_run_on_the_command_line(reference: str, choice: Choice, tmp_path: Path) -> None:
    script = "cat; echo $WHO; echo err >&2; exit 5"
    arguments = [reference, *options(choice), "--entrypoint", "", "--", "sh", "-c", script]
    done = deadweight("run", *arguments, cwd=tmp_path, input="typed\n")
    assert (done.returncode, done.stdout, done.stderr) == (5, "typed\nimage\n", "err\n")
    done = deadweight("run", reference, *options(choice), "--net", "--", "hostname", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith('deadweight: error: the program: exec: "hostname"')


def test_compare_on_the_command_line(reference: str, choice: Choice, tmp_path: Path) -> None:
    other = busybox_image(tmp_path / "other", CONFIG, [Item("srv/page", "f", b"hallo\n"), Item("data", "d")])
    probes = ["--probe", "http:GET /page", "--probe", "exec:id", *options(choice)]
    done = deadweight("compare", reference, other, *probes, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (1, "")
    assert "  FAILED  http:GET /page\n" in done.stdout
    assert "  passed  exec:id\n" in done.stdout


def packaged(folder: Path) -> str:
    """The server, with packages that nothing needs."""
    packages = (
        dpkg_package("common", "1", {"usr/share/doc/common/README": b"read me\n"}),
        dpkg_package("tool", "1", {"usr/share/tool/data": b"nobody" * 1000}),
    )
    return busybox_image(folder, CONFIG, [*debian_layer(*packages), *ITEMS])


NO_NAMESPACES = 'echo 0 > /proc/sys/user/max_user_namespaces; exec "$0" -m deadweight "$@"'


def test_slim_where_namespaces_are_refused(engine: Engine, tmp_path: Path) -> None:
    arguments = ["slim", packaged(tmp_path / "image"), "--to", "oci:small", "--engine", engine.address]
    asked_for = ["--probe", "http:GET /page", "--json", "out.json", "--save-evidence", "seen.json"]
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "sh", "-c", NO_NAMESPACES, sys.executable, *arguments, *asked_for],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "level packages, proved by" in done.stdout
    assert "run by docker" in done.stdout
    proof = json.loads((tmp_path / "out.json").read_text())["proof"]
    assert proof["sandbox"] == "docker"
    assert {"http:GET /page"} <= {probe["probe"] for probe in proof["probes"]}
    # Evidence that is no trace allows no more elsewhere.
    arguments = ["slim", packaged(tmp_path / "again"), "--to", "oci:other", "--evidence", "seen.json"]
    done = deadweight(*arguments, "--probe", "http:GET /page", "--level", "files", cwd=tmp_path)
    assert done.returncode == 2
    assert "was run without a trace; take --level packages" in done.stderr


def test_slim_asked_for_an_engine(choice: Choice, tmp_path: Path) -> None:
    arguments = ["slim", packaged(tmp_path / "image"), "--to", "oci:small", *options(choice)]
    done = deadweight(*arguments, "--probe", "http:GET /page", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"run by {choice.kind}" in done.stdout
    assert (
        f"note: level packages is the deepest: the image cannot be traced: {choice.kind} traces nothing\n"
        in done.stdout
    )
    done = deadweight(*arguments, "--level", "files", cwd=tmp_path)
    assert done.returncode == 2
    assert f"cannot be traced: {choice.kind} traces nothing; take --level packages, or" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL, signal.SIGTERM])
def test_nothing_is_left_when_it_is_ended(
    reference: str, choice: Choice, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tempfile.TemporaryDirectory(prefix="dw-") as folder:  # a socket's path is short
        monkeypatch.setenv("TMPDIR", folder)
        before = left(choice)
        script = "echo ready; trap 'echo bye; exit' TERM; while :; do sleep 0.05; done"
        command = [sys.executable, "-m", "deadweight", "run", *options(choice), reference, "--entrypoint", ""]
        process = subprocess.Popen([*command, "--", "sh", "-c", script], stdout=subprocess.PIPE)
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        assert len(left(choice)) > len(before)
        process.send_signal(number)
        output, _ = process.communicate(timeout=60)
        if number == signal.SIGINT:
            assert (process.returncode, output) == (130, b"bye\n")
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and (left(choice) != before or list(Path(folder).iterdir())):
            time.sleep(0.1)
        assert left(choice) == before
        assert not list(Path(folder).iterdir())


def test_an_engine_elsewhere_is_of_no_use(reference: str) -> None:
    access = Access(engine="tcp://192.0.2.1:2375")
    with (
        open_image(reference) as image,
        pytest.raises(Unsupported, match="is another machine's"),
        open_sandbox(image, Choice("docker", access)),
    ):
        pass


def test_without_any_engine_it_says_so(reference: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    monkeypatch.setenv("PATH", "/nowhere")
    for kind, problem in (
        ("docker", "^the sandbox: unix:///nowhere/docker.sock: no engine answers there; start Docker, or"),
        ("podman", "^the sandbox: podman is not there; start Docker, or install podman$"),
        ("auto", "^the sandbox: bwrap is not there; install the package bubblewrap; start Docker, or"),
    ):
        with (
            open_image(reference) as image,
            pytest.raises(Unsupported, match=problem),
            open_sandbox(image, Choice(kind)),
        ):
            pass
