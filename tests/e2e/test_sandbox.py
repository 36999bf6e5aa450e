"""Programs of an image in the real sandbox, as root and as an ordinary user."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import require, require_program
from deadweight.errors import NotFound, Unsupported, UsageError
from deadweight.image import open_image
from deadweight.oci.config import Execution
from deadweight.sandbox import Box, Command, Limits, command_of, open_box
from image_samples import write_layout
from layer_stacks import Item
from services.account import ordinary_user, python_as

TOOLS = (
    "sh",
    "id",
    "cat",
    "ls",
    "sleep",
    "dd",
    "chown",
    "hostname",
    "ip",
    "touch",
    "tail",
    "yes",
    "chroot",
    "grep",
)
PASSWD = b"root:x:0:0::/root:/bin/sh\nweb:x:33:34::/srv:/bin/sh\n"
GROUP = b"root:x:0:\nweb:x:34:\nlogs:x:40:web,other\n"
LIMITS = Limits(seconds=20)


def busybox() -> bytes:
    require(Path("/usr/share/doc/busybox-static").exists(), "a static busybox (the package busybox-static)")
    return Path(require_program("busybox")).read_bytes()


def layers() -> list[list[Item]]:
    return [
        [
            Item("bin/busybox", "f", busybox(), mode=0o755),
            *(Item(f"usr/bin/{name}", "l", link="/bin/busybox") for name in TOOLS),
            Item("etc/passwd", "f", PASSWD),
            Item("etc/group", "f", GROUP),
            Item("tmp", "d", mode=0o1777),
            Item("srv", "d"),
            Item("gone", "f", b"x"),
            Item("escape", "l", link="/../../../../etc"),
        ],
        [Item(".wh.gone", "f"), Item("srv/page", "f", b"hello\n")],
    ]


CONFIG = {"Cmd": ["cat", "page"], "WorkingDir": "/srv", "Env": ["LANG=C", "WHO=image"], "User": "web"}


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> str:
    require_program("bwrap")
    folder = tmp_path_factory.mktemp("sandbox") / "image"
    return write_layout(folder, layers(), config=CONFIG, compress=False)


@pytest.fixture(scope="module")
def box(reference: str) -> Iterator[Box]:
    with open_image(reference) as image, open_box(image) as opened:
        yield opened


def asked(box: Box, script: str, user: str = "", limits: Limits = LIMITS) -> tuple[int, str, str]:
    """Exit code, output, and why it was stopped."""
    command = Command(("/bin/busybox", "sh", "-c", script), {"PATH": "/usr/bin", "LANG": "C"}, "/", user)
    with box.start(command, limits, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as running:
        assert running.stdout is not None
        output = running.stdout.read().decode()
        end = running.wait()
    return end.code, output, end.stopped


def test_it_is_root_or_whom_the_config_names(box: Box) -> None:
    assert asked(box, "id -u; id -g; id -G")[1].split() == ["0", "0", "0"]
    assert asked(box, "id -u; id -g; id -G", "web")[1].splitlines() == ["33", "34", "34 40"]
    assert asked(box, "id -u; id -g; id -G", "web:root")[1].splitlines() == ["33", "0", "0"]
    assert asked(box, "id -u; id -g; id -G", "1234:99")[1].splitlines() == ["1234", "99", "99"]
    for user in ("nobody", "web:none", "70000"):
        with pytest.raises(NotFound, match=r"is not in the image's accounts|has the number 70000"):
            asked(box, "id", user)


def test_the_root_file_system_is_that_of_the_image(box: Box) -> None:
    code, output, _ = asked(
        box, "ls /; cat /srv/page; ls -ln /etc/passwd; ls /escape/passwd; cat /escape/hosts"
    )
    assert code == 0
    assert output.split("hello")[0].split() == [
        "bin", "dev", "escape", "etc", "proc", "srv", "tmp", "usr",
    ]  # fmt: skip
    assert "127.0.0.1\tlocalhost" in output
    assert asked(box, "cat /gone")[0] == 1


def test_nothing_that_is_written_stays(box: Box) -> None:
    assert asked(box, "touch /x /srv/page && chown 33:34 /x && ls -ln /x")[1].split()[2:4] == ["33", "34"]
    assert asked(box, "ls /x")[0] == 1


def test_a_user_is_kept_within_bounds(box: Box) -> None:
    assert "Permission denied" in asked(box, "touch /srv/page", "web")[1]
    assert "CapEff:\t0000000000000000" in asked(box, "cat /proc/self/status", "web")[1]
    # Docker's default capabilities without CAP_SYS_CHROOT, and no more to be had.
    status = asked(box, "cat /proc/self/status")[1]
    for kind in ("CapPrm", "CapEff", "CapBnd"):
        assert f"{kind}:\t00000000a80025fb" in status
    assert "NoNewPrivs:\t1" in status
    assert asked(box, "chroot / id")[0] != 0


def test_it_sees_no_processes_and_no_network_of_the_host(box: Box) -> None:
    assert int(asked(box, "ls /proc | grep -c '^[0-9]'")[1]) < 8  # process 1, the shell and its commands
    assert asked(box, "cat /proc/net/dev | tail -n +3")[1].split(":")[0].strip() == "lo"
    assert asked(box, "hostname")[1] == "sandbox\n"
    code, _, _ = asked(box, "cat /proc/net/dev | tail -n +4 | grep -q :")
    assert code != 0


@pytest.mark.parametrize("user", ["", "web"])
def test_standard_streams_can_be_opened_by_name(box: Box, user: str) -> None:
    assert asked(box, "echo one > /dev/stdout; echo two > /dev/stderr", user)[1] == "one\ntwo\n"


def test_limits_end_it(box: Box) -> None:
    start = time.monotonic()
    code, _, why = asked(box, "trap '' TERM; sleep 60", limits=Limits(seconds=0.5))
    assert (code, why) == (137, "it took more than 0.5 seconds")
    code, _, why = asked(
        box, "f() { f | f & }; f 2>/dev/null; sleep 60", limits=Limits(seconds=2, processes=50)
    )
    assert (code, why) == (137, "it took more than 2 seconds")
    big = "dd if=/dev/zero of=/tmp/big bs=1M count=100 2>/dev/null; ls -ln /tmp/big"
    assert int(asked(box, big, limits=Limits(seconds=20, scratch=8 << 20))[1].split()[4]) <= 8 << 20
    hungry = "x=$(dd if=/dev/zero bs=1M count=400 2>/dev/null | tr '\\0' x); sleep 60"
    code, _, why = asked(
        box, hungry.replace("tr", "/bin/busybox tr"), limits=Limits(seconds=20, memory=64 << 20)
    )
    assert code == 137
    assert why.endswith(f"bytes of memory; {64 << 20} are allowed")
    assert time.monotonic() - start < 60


def test_it_can_be_asked_to_stop(box: Box) -> None:
    command = Command(
        (
            "/bin/busybox",
            "sh",
            "-c",
            "trap 'echo bye; exit 7' TERM; echo ready; while :; do sleep 0.05; done",
        ),
        {"PATH": "/usr/bin"},
    )
    with box.start(command, LIMITS, stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == b"ready\n"
        running.stop(signal.SIGTERM, grace=10)
        assert running.stdout.read() == b"bye\n"
        assert running.wait().code == 7


@pytest.mark.parametrize(
    ("argv", "problem"),
    [(("none",), "none: is not there"), (("/etc/passwd",), "/etc/passwd: Permission denied")],
)
def test_a_program_that_cannot_be_started(box: Box, argv: tuple[str, ...], problem: str) -> None:
    with (
        pytest.raises(NotFound, match=problem),
        box.start(Command(argv, {"PATH": "/usr/bin"}), LIMITS) as running,
    ):
        running.wait()


def run(reference: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "deadweight", "run", reference, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_the_command_line(reference: str, tmp_path: Path) -> None:
    done = run(reference)
    assert (done.returncode, done.stdout, done.stderr) == (0, "hello\n", "")
    script = "echo $WHO $MORE; pwd; id -un; exit 5"
    done = run(reference, "-e", "MORE=x=y", "-w", "/tmp", "-u", "root", "--", "sh", "-c", script)
    assert (done.returncode, done.stdout, done.stderr) == (5, "image x=y\n/tmp\nroot\n", "")
    done = run(reference, "--timeout", "0.5", "--", "sleep", "30")
    assert (done.returncode, done.stderr) == (137, "deadweight: ended: it took more than 0.5 seconds\n")
    done = run(reference, "--entrypoint", "none")
    assert (done.returncode, done.stderr) == (2, "deadweight: error: the program: none: is not there\n")
    assert run(reference, "sh").stderr.startswith("deadweight run: error: there is no use for 'sh'")


@pytest.mark.parametrize("user", ["root", "web"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL, signal.SIGTERM])
def test_nothing_is_left_when_it_is_ended(reference: str, tmp_path: Path, number: int, user: str) -> None:
    script = f": {tmp_path}; echo ready; trap 'echo bye; exit' TERM; while :; do sleep 0.05; done"
    command = [sys.executable, "-m", "deadweight", "run", "-u", user, reference, "--", "sh", "-c", script]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    tmp_path.chmod(0o755)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(number)
    output, errors = process.communicate(timeout=30)
    if number == signal.SIGINT:
        assert (process.returncode, output, errors) == (130, b"bye\n", b"deadweight: interrupted\n")
    else:
        assert process.returncode == -number
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and (left(tmp_path) or str(tmp_path) in processes()):
        time.sleep(0.05)
    assert not left(tmp_path)
    assert str(tmp_path) not in processes()


def left(folder: Path) -> list[Path]:
    """What is in the folders in `folder`: an empty one stays where its owner may not remove it."""
    return [one for path in folder.iterdir() for one in path.iterdir()]


def processes() -> str:
    """The command lines of all processes."""
    return subprocess.run(["ps", "axwwo", "args"], capture_output=True, text=True, check=True).stdout


AS_USER = """
import json, subprocess, sys
from deadweight.image import open_image
from deadweight.sandbox import Command, Limits, open_box
with open_image(sys.argv[1]) as image, open_box(image) as box:
    def asked(script, user=""):
        command = Command(("/bin/busybox", "sh", "-c", script), {"PATH": "/usr/bin"}, "/", user)
        with box.start(command, Limits(seconds=20), stdout=subprocess.PIPE) as running:
            output = running.stdout.read().decode()
            return [running.wait().code, output]
    print(json.dumps([asked("id -u"), asked("id -u", "web"), asked("touch /x; chown 33:34 /x; ls -ln /x")]))
"""


@pytest.fixture
def ordinary() -> Iterator[str]:
    """The name of an ordinary user with subordinate IDs."""
    require_program("newuidmap")
    with ordinary_user() as name:
        yield name


def test_an_ordinary_user_needs_no_more(ordinary: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_layout(folder / "image", layers(), compress=False)
        root, web, file = json.loads(python_as(ordinary, folder, AS_USER, f"oci:{folder / 'image'}"))
        assert (root, web) == ([0, "0\n"], [0, "33\n"])
        assert file[1].split()[2:4] == ["33", "34"]


def test_the_command_of_a_config() -> None:
    execution = Execution(
        entrypoint=("a", "b"), cmd=("c",), env=("X=1", "PATH=/p"), user="u", working_dir="/w"
    )
    command = command_of(execution)
    assert (command.argv, command.user, command.working_dir) == (("a", "b", "c"), "u", "/w")
    assert command.environment == {"X": "1", "PATH": "/p"}
    assert command_of(execution, ["d"]).argv == ("a", "b", "d")
    assert command_of(execution, entrypoint=["e"]).argv == ("e",)
    assert command_of(execution, ["d"], entrypoint=[], environment={"X": "2"}).environment["X"] == "2"
    with pytest.raises(UsageError, match="names no program to run"):
        command_of(Execution())


@pytest.mark.parametrize(
    ("entries", "code"),
    [
        ([Item("etc", "l", link="/tmp/elsewhere")], 0),
        ([Item("etc", "l", link="../../../../../../etc")], 0),
        ([Item("etc", "l", link="etc")], 0),
        ([Item("proc", "l", link="/../../../etc"), Item("dev", "l", link="/tmp")], None),
        ([Item("etc/hosts", "l", link="/etc/passwd")], 0),
        ([Item("proc", "f", b"x")], None),
    ],
)
def test_links_lead_nowhere_on_the_host(tmp_path: Path, entries: list[Item], code: int | None) -> None:
    hosts = Path("/etc/hosts").stat().st_mtime_ns
    tool = Item("bin/busybox", "f", busybox(), mode=0o755)
    reference = write_layout(tmp_path / "image", [[tool, *entries]], compress=False)
    with open_image(reference) as image, open_box(image) as box:
        if code is None:
            with pytest.raises(Unsupported, match="bubblewrap could not make it"):
                asked(box, "exit 0")
        else:
            script = "echo x > /etc/written; echo x >> /etc/passwd; echo x >> /etc/hosts; exit 0"
            assert asked(box, script)[0] == code
    assert hosts == Path("/etc/hosts").stat().st_mtime_ns
    # Other tests add users meanwhile: the time of this one says nothing.
    assert "x" not in Path("/etc/passwd").read_text().splitlines()
    assert not Path("/etc/written").exists()


def test_where_namespaces_are_refused_it_says_so(reference: str) -> None:
    limit = "echo 0 > /proc/sys/user/max_user_namespaces"  # of the namespace that it runs in
    command = f'{limit}; exec "$0" -m deadweight run --sandbox bubblewrap {reference}'
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "sh", "-c", command, sys.executable],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith(
        "deadweight: error: the sandbox: user namespaces are refused here (unshare: No space"
    )
    assert done.stderr.count("\n") == 1
