"""`deadweight slim` on images that mean harm: it ends in time, says in one line what is wrong or does what it should, and
leaves no process, no folder and no mount; the host is as it was.
"""

from __future__ import annotations

import json
import os
import platform
import shlex
import struct
import subprocess
import sys
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from busybox_images import busybox_layer
from conftest import require_program
from deadweight.image import open_image
from deadweight.indexing import index_image
from deadweight.tree.merge import merge
from image_samples import debian_layer, dpkg_package, write_layout
from layer_stacks import Item
from left_behind import MARK, left_since
from left_behind import host as host_now

ASKED = ("--probe", "http:GET /page")
SERVE = "exec httpd -f -p 8080 -h /srv"
LIMIT = 150
"""The most seconds that slim takes, or a test fails: it would hang."""
ONE_LINE = "deadweight: error: "

pytestmark = pytest.mark.timeout(400)


@dataclass(frozen=True)
class Done:
    """What slim said, and what is left of it."""

    code: int
    output: str
    errors: str
    files: Mapping[str, int]
    """The files of the result with their modes; none where nothing was written."""
    left: Sequence[str]
    """Processes of the image and mounts, and what lies in the folder for temporary files."""

    def document(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.output)
        return document


@dataclass(frozen=True)
class Host:
    """A folder of the host that an image wants to reach, and one for what slim needs for a while."""

    folder: Path
    secret: Path
    temporary: Path

    def slim(self, script: str, items: Sequence[Item] = (), *arguments: str, **config: Any) -> Done:
        """Slims an image that runs `script` in a shell and exposes port 8080."""
        mark = uuid.uuid4().hex
        usual = {"Cmd": ["sh", "-c", script], "ExposedPorts": {"8080/tcp": {}}, "StopSignal": "SIGKILL"}
        config = {**usual, "Env": [f"{MARK}={mark}", "PATH=/bin"], **config}
        packages = debian_layer(dpkg_package("tool", "1", {"usr/share/tool/data": b"nobody" * 5000}))
        base = [*busybox_layer(), Item("bin/setsid", "l", link="busybox"), *packages]
        page = [] if any(item.path == "srv" for item in items) else [Item("srv/page", "f", b"hello\n")]
        reference = write_layout(self.folder / mark, [base, [*page, *items]], config=config)
        target = f"oci:{self.folder / mark}-small"
        argv = [*command(reference, target), "--json", "-", *arguments]
        before = host_now(self.temporary)
        environment = {**os.environ, "TMPDIR": str(self.temporary), MARK: mark}
        done = subprocess.run(
            argv, capture_output=True, text=True, check=False, timeout=LIMIT, env=environment
        )
        left = left_since(before, mark, self.temporary)
        left += [path.name for path in self.temporary.iterdir()]
        written = modes(target) if Path(target.removeprefix("oci:")).exists() else {}
        return Done(done.returncode, done.stdout, done.stderr, written, left)


def command(reference: str, target: str) -> list[str]:
    return [sys.executable, "-m", "deadweight", "slim", reference, "--to", target]


@pytest.fixture
def host(tmp_path: Path) -> Host:
    require_program("strace")
    secret, temporary = tmp_path / "secret", tmp_path / "temporary"
    for folder in (secret, temporary):
        folder.mkdir()
        folder.chmod(0o777)
    (secret / "page").write_text("of the host\n")
    return Host(tmp_path, secret, temporary)


def modes(reference: str) -> dict[str, int]:
    with open_image(reference) as image:
        return {path: node.entry.mode for path, node in merge(index_image(image)).tree.files.items()}


def refused(done: Done, *told: str) -> None:
    """It could not be done, one line says why, and nothing is there of it."""
    assert (done.code, done.output, done.files, done.left) == (2, "", {}, []), done.errors
    assert done.errors.startswith(ONE_LINE)
    assert done.errors.count("\n") == 1
    for text in told:
        assert text in done.errors


def slimmed(done: Done, level: str = "files") -> None:
    """It was done, at `level`, and nothing is left but the result."""
    assert (done.code, done.left) == (0, []), done.errors
    assert done.document()["level"] == level
    assert "usr/share/tool/data" not in done.files
    assert "bin/busybox" in done.files


BOMB = "f() { f | f & }; f 2>/dev/null"
NEVER_READY = {
    "a fork bomb": f"{BOMB}; sleep 3600",
    "a hang": "sleep 3600",
    "a hang that no signal ends": "trap '' TERM INT HUP; sleep 3600",
    "a process that leaves its session": "setsid sh -c 'sleep 3600' & setsid sleep 3600 & sleep 3600",
    "endless output": "while :; do cat /bin/busybox; cat /bin/busybox >&2; done",
    "endless look-ups": "while :; do i=$((i+1)); test -e /none/$i -o -e /$i; done",
}


@pytest.mark.parametrize("name", NEVER_READY)
def test_what_never_listens(host: Host, name: str) -> None:
    done = host.slim(NEVER_READY[name], (), *ASKED, "--timeout", "4")
    refused(done, "the program: was not ready within 4 seconds (tcp:8080)", "give it more time (timeout)")


@pytest.mark.parametrize("name", ["a fork bomb", "a hang that no signal ends"])
def test_what_never_listens_and_nobody_asked_for_is_not_proved(host: Host, name: str) -> None:
    done = host.slim(NEVER_READY[name], (), "--timeout", "4")
    slimmed(done, "packages")
    assert done.document()["proof"]["probes"] == []
    assert "was not ready within 4 seconds" in done.document()["proof"]["why_none"]


def test_what_listens_late_is_waited_for(host: Host) -> None:
    slimmed(host.slim(f"sleep 3; {SERVE}", (), *ASKED))


def test_what_listens_and_never_answers(host: Host) -> None:
    done = host.slim("exec nc -ll -p 8080 -e sleep 3600", (), *ASKED, "--timeout", "4")
    refused(done, "probe http:GET /page: is not answered by the original")


def test_an_answer_that_never_ends(host: Host) -> None:
    script = "#!/bin/sh\necho 'Content-Type: text/plain'\necho\nexec cat /dev/zero\n"
    endless = Item("srv/cgi-bin/endless", "f", script.encode(), mode=0o755)
    done = host.slim(SERVE, [endless], "--probe", "http:GET /cgi-bin/endless", "--timeout", "10")
    assert (done.code, done.left) in ((0, []), (2, [])), done.errors
    assert "Traceback" not in done.errors


def test_a_probe_that_is_a_fork_bomb(host: Host) -> None:
    bomb = f"exec:sh -c {shlex.quote(BOMB + '; sleep 3600')}"
    refused(
        host.slim(SERVE, (), "--probe", bomb, "--timeout", "4"),
        "is not answered by the original: it took more than",
    )


def test_a_program_that_ignores_the_signal_to_end(host: Host) -> None:
    done = host.slim(f"trap '' TERM; {SERVE}", (), *ASKED, StopSignal="SIGTERM")
    slimmed(done)
    # The original does not end either: that is none of the result's faults.
    assert [probe["probe"] for probe in done.document()["proof"]["probes"]] == ["http:GET /page"]


def test_a_filled_disk(host: Host) -> None:
    fill = (
        "dd if=/dev/zero of=/tmp/fill bs=1M 2>/dev/null; echo more > /srv/more; test -s /srv/more && exit 3"
    )
    slimmed(host.slim(f"{fill}; {SERVE}", (), *ASKED))


def test_an_image_that_is_larger_than_the_disk(host: Host) -> None:
    reference = write_layout(host.folder / "large", [[*busybox_layer(), Item("zeros", "f", bytes(64 << 20))]])
    target = host.folder / "small"
    apart = ["unshare"] if os.getuid() == 0 else ["unshare", "--user", "--map-root-user", "--map-auto"]
    small = f"mount -t tmpfs -o size=16m none {host.temporary}"
    line = f'{small} && exec "$0" -m deadweight slim {reference} --to oci:{target} --probe exec:id'
    done = subprocess.run(
        [*apart, "--mount", "sh", "-c", line, sys.executable],
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT,
        env={**os.environ, "TMPDIR": str(host.temporary)},
    )
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith(ONE_LINE)
    assert done.stderr.count("\n") == 1
    assert "bytes free, and what is unpacked there takes up to" in done.stderr
    assert not target.exists()


@pytest.mark.parametrize("climb", ["", "../../../../../../../.."])
def test_links_that_point_at_the_host(host: Host, climb: str) -> None:
    """What the image reads and writes through them is its own, and what it is asked for is not there."""
    there = f"{climb}{host.secret}"
    links = [
        Item("srv", "l", link=there),
        Item("usr/lib", "l", link=there),
        Item("opt/x", "l", link=f"{there}/page"),
    ]
    script = "echo x > /srv/written; echo x > /usr/lib/written; echo x > /opt/x; exec httpd -f -p 8080 -h /"
    done = host.slim(script, links, "--probe", "http:GET /opt/x", "--probe", "http:GET /srv/page")
    slimmed(done)
    assert sorted(path.name for path in host.secret.iterdir()) == ["page"]
    assert (host.secret / "page").read_text() == "of the host\n"
    assert "of the host" not in done.output
    assert not any(path.startswith(("srv/", "opt/")) for path in done.files)


def test_an_etc_that_points_at_the_host(host: Host) -> None:
    base = [item for item in busybox_layer() if item.path != "etc/passwd"]
    etc = Item("etc", "l", link="/../../../../etc")
    config = {"Cmd": ["sh", "-c", "cat /etc/passwd /etc/hosts"], "User": "0"}
    reference = write_layout(host.folder / "image", [[*base, etc]], config=config)
    target = f"oci:{host.folder / 'small'}"
    argv = [*command(reference, target), "--probe", "exec:cat /etc/passwd"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=LIMIT)
    assert done.returncode == 2
    assert "was not ready" in done.stderr or "ended before it was ready" in done.stderr
    assert "root:" not in done.stderr


def test_setuid_files_give_nobody_anything(host: Host) -> None:
    program = next(item.content for item in busybox_layer() if item.path == "bin/busybox")
    tools = [Item(f"opt/id{number}/id", "f", program, mode=0o4755) for number in range(4)]
    tools += [Item(f"opt/s{number}", "f", b"#!/bin/sh\nid -u\n", mode=0o6755) for number in range(500)]
    script = f'test "$(/opt/id3/id -u)" = 33 || exit 9; {SERVE}'
    done = host.slim(script, tools, "--probe", "exec:/opt/id3/id -u", "--probe", "exec:/opt/s7", User="web")
    slimmed(done)
    assert done.files["opt/id3/id"] == 0o4755
    assert done.files["opt/s7"] == 0o6755
    probes = done.document()["proof"]["probes"]
    assert all(probe["passed"] for probe in probes)


def foreign_program() -> bytes:
    """An ELF executable for a machine that this is not (gABI, "ELF header"; e_machine 183 is AArch64, 62 x86-64)."""
    machine = 62 if platform.machine() == "aarch64" else 183
    head = struct.pack(
        "<16sHHIQQQIHHHHHH", b"\x7fELF\2\1\1", 2, machine, 1, 0x400078, 64, 0, 0, 64, 56, 1, 64, 0, 0
    )
    return head + struct.pack("<IIQQQQQQ", 1, 5, 0, 0x400000, 0x400000, 120, 120, 0x1000)


def test_a_program_of_another_architecture(host: Host) -> None:
    server = Item("opt/server", "f", foreign_program(), mode=0o755)
    done = host.slim("", [server], *ASKED, Cmd=["/opt/server"])
    refused(done, "/opt/server: Exec format error")
    done = host.slim("", [server], Cmd=["/opt/server"])
    slimmed(done, "packages")
    assert "Exec format error" in done.document()["proof"]["why_none"]
