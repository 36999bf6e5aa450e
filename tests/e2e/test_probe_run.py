"""Containers that are really asked: servers and jobs made of busybox, well-behaved and not."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from busybox_images import busybox_image
from conftest import ROOT, require_program
from deadweight.errors import NotReady, UnfitProbe, UsageError
from deadweight.image import open_image
from deadweight.oci.config import Execution
from deadweight.probe.observation import MAX_RECORDED, ExitAnswer, Failure, HttpAnswer, TcpAnswer
from deadweight.probe.proof import ProbeResult, expect, prove
from deadweight.probe.record import record
from deadweight.probe.recording import Recording, read_recordings
from deadweight.probe.spec import parse_probe
from deadweight.probe.workload import Workload, complete
from deadweight.sandbox import Box, open_box
from layer_stacks import Item
from services.account import ordinary_user, python_as

GREETING = b"echo 220 hello\n"
CGI = {
    "slow": b"echo; sleep 100\n",
    "drip": b"echo; while :; do echo drop; sleep 0.1; done\n",
    "big": b"echo; head -c 3000000 /dev/zero\n",
    "now": b"echo Content-Type: text/plain; echo; date\n",
    "random": b"echo; tr -dc A-Z </dev/urandom | head -c 10\n",
    "post": b"echo; echo $CONTENT_TYPE; cat; cat /tmp/filled\n",
    "headers": b"echo; env | /bin/busybox grep HTTP_ | /bin/busybox sort\n",
    "nothing": b"kill -9 $PPID\n",
}
SERVE = ["httpd", "-f", "-p", "8080", "-h", "/srv"]
SERVER: dict[str, Any] = {"Cmd": SERVE, "ExposedPorts": {"8080/tcp": {}}, "WorkingDir": "/srv", "User": "web"}


def items(page: bytes = b"hello\n") -> list[Item]:
    scripts = {f"srv/cgi-bin/{name}": text for name, text in CGI.items()} | {"srv/greet": GREETING}
    return [
        Item("srv/page", "f", page),
        *(Item(path, "f", b"#!/bin/sh\n" + text, mode=0o755) for path, text in scripts.items()),
    ]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> str:
    return busybox_image(tmp_path_factory.mktemp("probes") / "server", SERVER, items())


@contextmanager
def opened(reference: str) -> Iterator[tuple[Box, Execution]]:
    with open_image(reference) as image, open_box(image) as box:
        yield box, image.config.execution


@pytest.fixture(scope="module")
def opened_server(server: str) -> Iterator[tuple[Box, Execution]]:
    with opened(server) as both:
        yield both


def workload(*probes: str, setup: tuple[str, ...] = (), **more: Any) -> Workload:
    settings = {"timeout": 30.0, **more}
    return Workload(probes=tuple(map(parse_probe, probes)), setup=tuple(map(parse_probe, setup)), **settings)


def asked(both: tuple[Box, Execution], what: Workload, folder: Path = Path()) -> dict[str, Any]:
    """What was answered, by probe."""
    box, execution = both
    return by_probe(record(box, execution, complete(what, execution), folder=folder))


def by_probe(recording: Recording) -> dict[str, Any]:
    return {answer.probe: answer.observation for answer in recording.answers}


def script(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_http_is_asked(opened_server: tuple[Box, Execution]) -> None:
    body = '{"a": "ü"}'
    answers = asked(
        opened_server,
        workload("http:GET /page", "http:HEAD /page", "http:8080:GET /none", f"http:POST /cgi-bin/post {body}",
                 "http:POST /cgi-bin/post a=b", "http:81:GET /", "http:GET /ü"),
    )  # fmt: skip
    page = answers["http:GET /page"]
    assert isinstance(page, HttpAnswer)
    assert (page.status, page.reason, page.body) == (200, "OK", b"hello\n")
    assert ("Content-Length", "6") in page.headers
    assert abs(page.at - answers["http:GET /ü"].at) < 30
    assert (answers["http:HEAD /page"].status, answers["http:HEAD /page"].body) == (200, b"")
    assert answers["http:8080:GET /none"].status == 404
    assert answers[f"http:POST /cgi-bin/post {body}"].body.decode() == f"application/json\n{body}"
    assert answers["http:POST /cgi-bin/post a=b"].body == b"application/x-www-form-urlencoded\na=b"
    assert answers["http:81:GET /"].reason == "port 81: connection refused"
    assert answers["http:GET /ü"].status == 404


def test_no_compression_is_asked_for(opened_server: tuple[Box, Execution]) -> None:
    answers = asked(opened_server, workload("http:GET /cgi-bin/headers"))
    names = [line.partition(b"=")[0] for line in answers["http:GET /cgi-bin/headers"].body.splitlines()]
    assert b"HTTP_USER_AGENT" in names
    assert b"HTTP_ACCEPT_ENCODING" not in names


def test_commands_run_inside_as_engines_do_it(opened_server: tuple[Box, Execution]) -> None:
    answers = asked(
        opened_server,
        workload("exec:id -un", "exec:pwd; echo $MODE; cat /tmp/filled; exit 7", "exec:none", "exec:sh -c 'kill -9 $$'",
                 setup=("exec:touch /tmp/other", "exec:echo full > /tmp/filled"), env={"MODE": "test"}),
    )  # fmt: skip
    assert answers["exec:id -un"].stdout == b"web\n"
    several = answers["exec:pwd; echo $MODE; cat /tmp/filled; exit 7"]
    assert (several.code, several.stdout, several.stderr) == (7, b"/srv\ntest\nfull\n", b"")
    assert answers["exec:none"].reason == "the program: none: is not there"
    assert answers["exec:sh -c 'kill -9 $$'"].code == 137


def test_a_greeting_is_heard(opened_server: tuple[Box, Execution]) -> None:
    server = "nc -ll -p 25 -e /srv/greet & exec httpd -f -p 8080 -h /srv"
    what = workload(
        "tcp:25",
        "tcp:26",
        "tcp:8080",
        command=("sh", "-c", server),
        ready=parse_probe("tcp:25"),
    )
    answers = asked(opened_server, what)
    assert answers["tcp:25"].first == b"220 hello\n"
    assert answers["tcp:26"] == TcpAnswer(accepted=False, at=answers["tcp:26"].at)
    assert (answers["tcp:8080"].accepted, answers["tcp:8080"].first) == (True, b"")


def test_a_script_of_the_host_reaches_the_container(
    opened_server: tuple[Box, Execution], tmp_path: Path
) -> None:
    ask = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1]).read().decode())"
    script(
        tmp_path / "ask",
        f'echo $DEADWEIGHT_HOST $DEADWEIGHT_PORT; exec {sys.executable} -c "{ask}" $DEADWEIGHT_URL/page',
    )
    script(tmp_path / "hang", "sleep 1000 & echo started; sleep 1000")
    (tmp_path / "plain").write_text("x")
    with socket.create_server(("127.0.0.1", 0)) as of_host:
        port = of_host.getsockname()[1]
        connect = f"import socket; socket.create_connection(('127.0.0.1', {port}))"
        script(tmp_path / "out", f'exec {sys.executable} -c "{connect}"')
        answers = asked(opened_server, workload("script:ask", "script:out"), tmp_path)
    assert answers["script:ask"].stdout == b"127.0.0.1 8080\nhello\n\n"
    assert answers["script:out"].code == 1  # what listens on the host is out of its reach
    hung = asked(opened_server, workload("script:hang", timeout=1.0), tmp_path)["script:hang"]
    assert isinstance(hung, Failure)
    assert hung.reason.startswith("it took more than")
    for name, told in (("plain", "is no program that can be run"), ("none", f"there is no {tmp_path}/none")):
        with pytest.raises(UsageError, match=told):
            asked(opened_server, workload(f"script:{name}"), tmp_path)


def test_with_the_hosts_network(opened_server: tuple[Box, Execution]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe_for_a_port:
        port = probe_for_a_port.getsockname()[1]
    what = workload(
        f"http:{port}:GET /page", network=True, command=("httpd", "-f", "-p", str(port), "-h", "/srv")
    )
    assert asked(opened_server, what)[f"http:{port}:GET /page"].body == b"hello\n"


def test_what_nobody_asks_for(opened_server: tuple[Box, Execution]) -> None:
    box, execution = opened_server
    recording = record(box, execution, complete(workload(), execution))
    assert [(one.probe, one.asked) for one in recording.answers] == [
        ("tcp:8080", False),
        ("http:8080:GET /", False),
        ("stop:TERM", False),
    ]
    assert by_probe(recording)["stop:TERM"].code == 128 + 15


def test_it_is_stopped_by_the_signal_of_the_config(tmp_path: Path) -> None:
    text = "trap 'exit 3' USR1; while :; do sleep 0.05; done"
    config = {"Cmd": ["sh", "-c", text], "StopSignal": "SIGUSR1"}
    with opened(busybox_image(tmp_path / "image", config)) as both:
        assert asked(both, workload(ready=0.5))["stop:USR1"].code == 3


def test_one_that_ignores_the_signal_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deadweight.probe.container.GRACE", 0.3)
    config = {"Cmd": ["sh", "-c", f"trap '' TERM; : {tmp_path}; while :; do sleep 1; done"]}
    with opened(busybox_image(tmp_path / "image", config)) as both:
        stopped = asked(both, workload(ready=0.2))["stop:TERM"]
    assert stopped.reason == "it did not end within 0.3 seconds"
    assert str(tmp_path) not in processes()


def processes() -> str:
    """The command lines of all processes."""
    return subprocess.run(["ps", "axwwo", "args"], capture_output=True, text=True, check=True).stdout


def test_one_that_listens_late_is_waited_for(opened_server: tuple[Box, Execution]) -> None:
    late = ("sh", "-c", "sleep 1; exec httpd -f -p 8080 -h /srv")
    for ready in (None, "http:GET /page", "tcp:8080", "exec:echo | nc 127.0.0.1 8080"):
        how: dict[str, Any] = {} if ready is None else {"ready": parse_probe(ready)}
        assert (
            asked(opened_server, workload("http:GET /page", command=late, **how))["http:GET /page"].status
            == 200
        )


def test_one_that_listens_at_one_of_its_ports_only(tmp_path: Path) -> None:
    config = {**SERVER, "ExposedPorts": {"80/tcp": {}, "8080/tcp": {}}}
    with opened(busybox_image(tmp_path / "image", config, items())) as (box, execution):
        expected = expect(box, execution, workload())
        results = prove(box, execution, expected)
    # What the original does not answer proves nothing, but that nobody listens is an answer.
    assert [one.probe for one in results] == ["tcp:80", "tcp:8080", "http:8080:GET /", "stop:TERM"]
    assert all(one.passed for one in results)


@pytest.mark.parametrize(
    ("command", "more", "message"),
    [
        ("echo one; echo two >&2; sleep 1000", {}, r"was not ready within 2 seconds \(tcp:8080\); it said: two"),
        ("exit 0", {}, "ended before it was ready: exit code 0; it said nothing"),
        ("echo lost; exit 5", {}, "ended before it was ready: exit code 5; it said: lost"),
        ("exit 4", {"ready": 1.0}, "exit code 4; it said nothing; if that is what it is for, set ends = true"),
        ("kill -9 $$", {}, "exit code 137"),
        ("printf 'a\\033[31mb'; exit 1", {}, r"it said: a\\x1b\[31mb"),
        ("exec httpd -f -p 8080 -h /srv", {"setup": ("exec:(exit 3)",)}, r"setup exec:\(exit 3\): went wrong: exit code 3"),
    ],
)  # fmt: skip
def test_one_that_cannot_be_asked(
    opened_server: tuple[Box, Execution], command: str, more: dict[str, Any], message: str
) -> None:
    what = workload(command=("sh", "-c", command), **{"timeout": 2.0, **more})
    with pytest.raises(NotReady, match=message):
        asked(opened_server, what)


def test_a_program_or_a_user_that_is_not_there(opened_server: tuple[Box, Execution], tmp_path: Path) -> None:
    with pytest.raises(NotReady, match="none: is not there"):
        asked(opened_server, workload(command=("none",)))
    with (
        opened(busybox_image(tmp_path / "image", {"Cmd": ["true"], "User": "nobody"})) as both,
        pytest.raises(NotReady, match="the user 'nobody': is not in the image's accounts"),
    ):
        asked(both, workload())


def test_what_hangs_ends_in_time(opened_server: tuple[Box, Execution]) -> None:
    answers = asked(
        opened_server, workload("http:GET /cgi-bin/slow", "http:GET /page", "exec:sleep 1000", timeout=1.5)
    )
    assert answers["http:GET /cgi-bin/slow"].reason.startswith("no whole answer within")
    assert answers["http:GET /page"].reason == "no time was left for it"
    assert answers["exec:sleep 1000"].reason == "no time was left for it"
    for probe in ("http:GET /cgi-bin/drip", "exec:sleep 1000"):
        assert isinstance(asked(opened_server, workload(probe, timeout=1.0))[probe], Failure)


def test_what_ends_the_container_is_no_answer(opened_server: tuple[Box, Execution]) -> None:
    answers = asked(
        opened_server, workload("http:GET /cgi-bin/nothing", "exec:kill 2", "exec:id", "http:GET /page")
    )
    assert answers["http:GET /page"].reason.startswith(("the program: has ended", "port 8080", "the sandbox"))


def test_large_answers_are_cut(opened_server: tuple[Box, Execution]) -> None:
    answers = asked(
        opened_server, workload("http:GET /cgi-bin/big", "exec:head -c 3000000 /dev/zero", "exec:dd if=/dev/zero bs=1M count=100")
    )  # fmt: skip
    body = answers["http:GET /cgi-bin/big"]
    assert (len(body.body), body.truncated) == (MAX_RECORDED, True)
    for probe in ("exec:head -c 3000000 /dev/zero", "exec:dd if=/dev/zero bs=1M count=100"):
        assert (len(answers[probe].stdout), answers[probe].truncated) == (MAX_RECORDED, True)


def test_an_output_that_somebody_else_holds_open(opened_server: tuple[Box, Execution]) -> None:
    answers = asked(opened_server, workload("exec:sleep 1000 & echo done"))
    assert answers["exec:sleep 1000 & echo done"].stdout == b"done\n"


def test_a_job_is_noticed(tmp_path: Path) -> None:
    config = {"Cmd": ["sh", "-c", "echo out; echo err >&2"]}
    with opened(busybox_image(tmp_path / "image", config)) as (box, execution):
        recording = record(box, execution, complete(workload(), execution))
        assert recording.ends
        [answer] = recording.answers
        assert answer.probe == "start:"
        found = answer.observation
        assert found == ExitAnswer(0, b"out\n", b"err\n", at=found.at)
        again = record(box, execution, complete(workload("exec:id -u"), execution))
        assert [one.probe for one in again.answers] == ["start:", "exec:id -u"]


def test_a_job_that_says_so(tmp_path: Path) -> None:
    config = {
        "Cmd": ["sh", "-c", "sleep 1; touch /tmp/x; exit 3"],
        "Env": ["A=b"],
        "ExposedPorts": {"80/tcp": {}},
    }
    with opened(busybox_image(tmp_path / "image", config)) as both:
        answers = asked(both, workload("exec:ls /tmp", "exec:echo $A", ends=True))
        assert list(answers) == ["start:", "exec:ls /tmp", "exec:echo $A"]
        assert answers["start:"].code == 3
        assert answers["exec:ls /tmp"].stdout == b""  # a run of its own
        assert answers["exec:echo $A"].stdout == b"b\n"
        hung = asked(both, workload("exec:sleep 100", ends=True, timeout=1.5))
        assert hung["exec:sleep 100"].reason.startswith("it took more than")
        for what in (workload("tcp:80", ends=True), workload(setup=("exec:id",), ends=True)):
            with pytest.raises(UsageError, match="cannot be asked of a job"):
                asked(both, what)


def results(
    original: tuple[Box, Execution], result: tuple[Box, Execution], what: Workload
) -> dict[str, ProbeResult]:
    expected = expect(*original, what)
    return {one.probe: one for one in prove(*result, expected)}


def test_what_changes_by_itself_is_no_difference(opened_server: tuple[Box, Execution]) -> None:
    found = results(
        opened_server, opened_server, workload("http:GET /cgi-bin/now", "exec:date", "http:GET /page")
    )
    assert len(found) == 4
    assert [one.differences for one in found.values()] == [()] * 4


def test_what_the_original_does_not_do_twice_proves_nothing(opened_server: tuple[Box, Execution]) -> None:
    with pytest.raises(UnfitProbe, match="probe http:GET /cgi-bin/random: is not answered twice the same"):
        expect(*opened_server, workload("http:GET /cgi-bin/random", "http:GET /cgi-bin/random"))
    with pytest.raises(UnfitProbe, match="probe http:81:GET /: is not answered by the original: port 81"):
        expect(*opened_server, workload("http:81:GET /", ready=parse_probe("tcp:8080")))


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "deadweight", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, cwd=cwd)


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The server with another page, and without a command."""
    image = tmp_path_factory.mktemp("probes") / "broken"
    return busybox_image(image, SERVER, [*items(b"hallo\n"), Item("bin/.wh.date", "f")])


@pytest.fixture(scope="module")
def dead(tmp_path_factory: pytest.TempPathFactory) -> str:
    image = tmp_path_factory.mktemp("probes") / "dead"
    return busybox_image(image, SERVER, [*items(), Item("bin/.wh.httpd", "f")])


def validated(text: str, schema: str) -> Any:
    document = json.loads(text)
    loaded = json.loads((ROOT / "docs" / "schema" / schema).read_text())
    jsonschema.Draft202012Validator.check_schema(loaded)
    jsonschema.validate(document, loaded)
    return document


def test_compare_on_the_command_line(server: str, broken: str, dead: str, tmp_path: Path) -> None:
    probes = ("--probe", "http:GET /page", "--probe", "exec:date", "--probe", "exec:id")
    done = run("compare", server, server, *probes, "--save", "saved.json", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "  passed  http:GET /page\n" in done.stdout
    assert done.stdout.endswith("4 probes passed\n")
    saved = (tmp_path / "saved.json").read_text()
    validated(saved, "recordings-v1.json")
    first, second = read_recordings(saved.encode(), "saved.json")
    assert by_probe(first)["exec:id"] == by_probe(second)["exec:id"] or by_probe(first)["exec:id"].stdout
    assert by_probe(first)["exec:date"].at < by_probe(second)["exec:date"].at

    done = run("compare", server, broken, *probes, "--json", "out.json", cwd=tmp_path)
    assert done.returncode == 1
    assert "  FAILED  http:GET /page\n" in done.stdout
    assert "hello" in next(line for line in done.stdout.splitlines() if "hallo" in line)
    assert "no answer: the program: date: is not there" in done.stdout
    assert done.stdout.endswith("2 of 4 probes failed\n")
    document = validated((tmp_path / "out.json").read_text(), "comparison-v1.json")
    assert document["passed"] is False
    assert [one["passed"] for one in document["workloads"][0]["probes"]] == [False, False, True, True]

    done = run("compare", server, dead, *probes, cwd=tmp_path)
    assert done.returncode == 1
    assert "  FAILED  ready:\n" in done.stdout
    assert "httpd: is not there" in done.stdout
    done = run("compare", dead, server, *probes, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (2, "deadweight: error: the program: httpd: is not there\n")


SETTINGS = """
[slim]
workload = [
    { name = "serve", probes = ["http:GET /page", "script:./own"], setup = ["exec:touch /tmp/x"] },
    { name = "once", command = ["ls", "/tmp"], ends = true },
]
"""


def test_probe_on_the_command_line(server: str, tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "deadweight.toml").write_text(SETTINGS)
    script(tmp_path / "own", "echo own")
    script(tmp_path / "below" / "here", "echo here")
    done = run("probe", server, "--json", "out.json", "--save", "saved.json", cwd=tmp_path / "below")
    assert (done.returncode, done.stderr) == (0, "")
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert lines[0] == server
    assert "http:GET /page 200 OK 6 B hello" in lines
    assert "script:./own exit code 0 4 B own" in lines
    assert "workload once (a job)" in lines
    document = validated((tmp_path / "below" / "out.json").read_text(), "probes-v1.json")
    assert [one["name"] for one in document["workloads"]] == ["serve", "once"]
    assert len(read_recordings((tmp_path / "below" / "saved.json").read_bytes(), "saved.json")) == 2

    given = (
        "--workload",
        "serve",
        "--probe",
        "script:here",
        "--probe",
        "http:GET /page",
        "--probe",
        "tcp:99",
    )
    done = run("probe", server, *given, cwd=tmp_path / "below")
    assert done.returncode == 1  # nobody listens there
    assert "here" in done.stdout
    assert "own" not in done.stdout
    done = run("probe", server, "--workload", "none", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (
        2, "deadweight: error: --workload none: is not in the settings; there are: serve, once\n",
    )  # fmt: skip
    done = run("probe", server, "--probe", "http:/", cwd=tmp_path)
    assert done.returncode == 2


@pytest.mark.parametrize("command", ["probe {0}", "compare {0} {1}"])
def test_who_does_not_listen_still_gets_the_exit_code(server: str, tmp_path: Path, command: str) -> None:
    other = busybox_image(tmp_path / "other", SERVER, items(b"other\n"))
    probes = "--probe 'http:GET /page'" + ("" if "compare" in command else " --probe tcp:99")
    line = f"{sys.executable} -m deadweight {command.format(server, other)} {probes} | true"
    argv = ["bash", "-c", f"set -o pipefail; {line}"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (1, "")


def test_nothing_is_left_when_it_is_interrupted(server: str, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    command = [
        sys.executable,
        "-m",
        "deadweight",
        "probe",
        server,
        "--probe",
        f"exec:sleep 1000; : {tmp_path}",
    ]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, text=True
    )
    deadline = time.monotonic() + 60
    while f"sleep 1000; : {tmp_path}" not in processes().replace(" ".join(command), ""):
        assert process.poll() is None
        time.sleep(0.05)
    process.terminate()
    process.communicate(timeout=60)
    while time.monotonic() < deadline and (left(tmp_path) or str(tmp_path) in processes()):
        time.sleep(0.05)
    assert not left(tmp_path)
    assert str(tmp_path) not in processes()


def left(folder: Path) -> list[Path]:
    """What is in the folders in `folder`: an empty one stays where its owner may not remove it."""
    return [one for path in folder.iterdir() for one in path.iterdir()]


AS_USER = """
import json, sys
from pathlib import Path
from deadweight.image import open_image
from deadweight.probe.proof import expect, prove
from deadweight.probe.spec import parse_probe
from deadweight.probe.workload import Workload
from deadweight.sandbox import open_box
probes = ["http:GET /page", "exec:id -un", "script:ask", "tcp:8080", "exec:sleep 0.1; cat /tmp/x"]
what = Workload(probes=tuple(map(parse_probe, probes)), setup=(parse_probe("exec:echo set > /tmp/x"),))
with open_image(sys.argv[1]) as image, open_box(image) as box:
    execution = image.config.execution
    expected = expect(box, execution, what, folder=Path())
    results = prove(box, execution, expected, folder=Path())
    print(json.dumps([[one.probe, one.passed, str(one.found)] for one in results]))
"""


def test_an_ordinary_user_can_ask_all_of_it() -> None:
    require_program("newuidmap")
    with tempfile.TemporaryDirectory() as name, ordinary_user() as user:
        folder = Path(name)
        reference = busybox_image(folder / "image", SERVER, items())
        ask = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1]).read().decode())"
        python = Path(sys.executable).resolve()
        script(folder / "ask", f'exec {python} -c "{ask}" $DEADWEIGHT_URL/page')
        found = json.loads(python_as(user, folder, AS_USER, reference))
        assert [one[:2] for one in found] == [
            ["http:GET /page", True],
            ["exec:id -un", True],
            ["script:ask", True],
            ["tcp:8080", True],
            ["exec:sleep 0.1; cat /tmp/x", True],
            ["stop:TERM", True],
        ]
        assert "b'hello\\n\\n'" in found[2][2]
        assert "b'web\\n'" in found[1][2]
