"""What real programs touch in the sandbox, observed by strace, as root and as an ordinary user."""

from __future__ import annotations

import json
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from conftest import require, require_program
from deadweight.errors import InvalidDocument, NotFound, Unsupported
from deadweight.image import open_image
from deadweight.sandbox import Box, Command, Limits, open_box
from deadweight.sandbox.bubblewrap import ROOT
from deadweight.trace import Observed, Reader, Use, differences, from_json, observe, read_trace
from image_samples import write_layout
from layer_stacks import Item
from services.account import ordinary_user, python_as

LIMITS = Limits(seconds=60)
SOURCE = r"""
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

static char buffer[4096];
static char *const none[] = {0};

static void *moves(void *unused) {
    chdir("/data/threads");
    return unused;
}

static void threads(void) { /* the other thread's chdir counts for this one */
    pthread_t thread;
    pthread_create(&thread, 0, moves, 0);
    pthread_join(thread, 0);
    access("moved", F_OK);
}

static int child(void *unused) {
    (void)unused;
    chdir("/data/own");
    access("mine", F_OK);
    return 0;
}

static void forks(void) { /* a child's chdir does not, unless it shares the working directory */
    static char stack[2][65536];
    chdir("/data");
    if (fork() == 0)
        _exit(child(0));
    wait(0);
    access("one", F_OK);
    clone(child, stack[0] + 65536, SIGCHLD | CLONE_FS, 0);
    wait(0);
    access("two", F_OK);
    pid_t last = vfork();
    if (last == 0) {
        execl("/bin/busybox", "cat", "/data/by-vfork", (char *)0);
        _exit(1);
    }
    waitpid(last, 0, 0);
}

static void places(void) {
    int folder = open("/data", O_RDONLY | O_DIRECTORY), file;
    struct statx found;
    openat(folder, "one", O_RDONLY);
    statx(folder, "two", AT_SYMLINK_NOFOLLOW, STATX_SIZE, &found);
    readlinkat(folder, "link", buffer, sizeof buffer);
    faccessat(folder, "own/../threads/moved", R_OK, AT_EACCESS);
    fchdir(folder);
    stat("own/mine", (struct stat *)buffer);
    openat(AT_FDCWD, "nowhere", O_RDONLY);
    getxattr("/data/by-vfork", "user.none", buffer, sizeof buffer);
    file = open("/bin/hello", O_RDONLY | O_CLOEXEC);
    if (fork() == 0) {
        syscall(SYS_execveat, file, "", none, none, AT_EMPTY_PATH);
        _exit(1);
    }
    wait(0);
}

static void deleted(void) {
    int file, folder;
    unlink("/data/one");
    mkdir("/data/new", 0755);
    folder = open("/data/new", O_RDONLY | O_DIRECTORY);
    rmdir("/data/new");
    openat(folder, "one", O_RDONLY);
    fchdir(folder);
    open("two", O_RDONLY);
    file = open("/data/one", O_RDWR | O_CREAT, 0644); /* another one */
    open("/data/one", O_RDONLY);
    rename("/data/two", "/data/renamed");
    open("/data/renamed", O_RDONLY);
    symlink("/data/own", "/tmp/made");
    open("/tmp/made/mine", O_RDONLY);
    close(file);
    file = memfd_create("data", 0);
    openat(file, "own", O_RDONLY);
}

static void sockets(void) {
    struct sockaddr_un address = {AF_UNIX, "/run/absent"};
    int end = socket(AF_UNIX, SOCK_STREAM, 0);
    connect(end, (void *)&address, sizeof address);
    strcpy(address.sun_path, "/data/socket");
    bind(end, (void *)&address, sizeof address);
    connect(end, (void *)&address, sizeof address);
}

static void rings(void) {
    syscall(SYS_io_uring_setup, 1, buffer);
    printf("%d", errno);
    syscall(SYS_io_uring_enter, 0, 1, 0, 0, 0, 0);
    printf(" %d\n", errno);
}

static void names(void) { /* that look like strace's own words */
    mkdir("/data/) = 5 \"<...\n7 unlink(\"two\") = 0\n", 0755);
    access("/data/ <unfinished ...>", F_OK);
    access("/data/\377<... access resumed>) = 0", F_OK);
    access("/data/two\" , R_OK) = 0", F_OK);
}

int main(int count, char **words) {
    const char *what = count > 1 ? words[1] : "";
    if (!strcmp(what, "threads")) threads();
    if (!strcmp(what, "forks")) forks();
    if (!strcmp(what, "places")) places();
    if (!strcmp(what, "deleted")) deleted();
    if (!strcmp(what, "sockets")) sockets();
    if (!strcmp(what, "rings")) rings();
    if (!strcmp(what, "names")) names();
    return 0;
}
"""


@pytest.fixture(scope="module")
def layers(tmp_path_factory: pytest.TempPathFactory) -> list[list[Item]]:
    require(Path("/usr/share/doc/busybox-static").exists(), "a static busybox (the package busybox-static)")
    busybox = Path(require_program("busybox")).read_bytes()
    folder = tmp_path_factory.mktemp("program")
    (folder / "calls.c").write_text(SOURCE)
    static = [require_program("gcc"), "-static", "-pthread", "-w", "-o"]
    subprocess.run([*static, folder / "calls", folder / "calls.c"], check=True)
    (folder / "hello.c").write_text('int main(void) { return access("/data/by-hello", 0) + 1; }\n')
    subprocess.run([*static, folder / "hello", folder / "hello.c"], check=True)
    names = ("one", "two", "by-vfork", "by-hello", "threads/moved", "own/mine", "listed/a", "listed/b")
    return [
        [
            Item("bin/busybox", "f", busybox, mode=0o755),
            Item("bin/calls", "f", (folder / "calls").read_bytes(), mode=0o755),
            Item("bin/hello", "f", (folder / "hello").read_bytes(), mode=0o755),
            *(
                Item(f"usr/bin/{name}", "l", link="/bin/busybox")
                for name in ("sh", "cat", "ls", "cp", "sleep")
            ),
            Item("bin/sh", "l", link="busybox"),
            Item("bin/script", "f", b"#!/bin/sh\ncat /data/one\n", mode=0o755),
            Item("bin/broken", "f", b"#!/bin/absent\n", mode=0o755),
            Item("tmp", "d", mode=0o1777),
            Item("run", "d"),
            *(Item(f"data/{name}", "f", name.encode()) for name in names),
            Item("data/link", "l", link="../a/b"),
            Item("a/b", "l", link="/a/c"),
            Item("a/c", "l", link="../data"),
            Item("a/dangling", "l", link="/a/nothing"),
        ]
    ]


@pytest.fixture(scope="module")
def box(layers: list[list[Item]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    for program in ("bwrap", "strace"):
        require_program(program)
    reference = write_layout(tmp_path_factory.mktemp("trace") / "image", layers, compress=False)
    with open_image(reference) as image, open_box(image) as opened:
        yield opened


def run(box: Box, *argv: str, working_dir: str = "/", user: str = "") -> tuple[Observed, str]:
    """What it did, and what it printed."""
    pieces: list[bytes] = []
    command = Command(argv, {"PATH": "/usr/bin"}, working_dir, user)
    with box.start(
        command, LIMITS, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, trace=pieces.append
    ) as running:
        assert running.stdout is not None
        output = running.stdout.read().decode()
        assert running.wait().stopped == ""
    observed = observe(Reader("the trace").read(pieces), box.tree, ROOT)
    assert from_json(observed.to_json(), "test") == observed
    return observed, output


def shell(box: Box, script: str) -> Observed:
    return run(box, "/bin/busybox", "sh", "-c", script)[0]


def test_what_is_read_listed_and_looked_for(box: Box) -> None:
    seen, output = run(
        box, "/bin/busybox", "sh", "-c", "cat one /absent; ls /data/listed", working_dir="/data"
    )
    assert output.split()[-2:] == ["a", "b"]
    assert seen.uses[Use.EXECUTED] == {"bin/busybox": ""}
    assert seen.uses[Use.OPENED] == {"data/listed": "/bin/busybox", "data/one": "/bin/busybox"}
    assert seen.uses[Use.LISTED] == {"data/listed": "/bin/busybox"}
    assert seen.uses[Use.LOOKED_AT]["data"] == ""
    assert seen.uses[Use.MISSING]["/absent"] == "/bin/busybox"
    assert not seen.uses[Use.CREATED]
    # Neither what makes the sandbox, nor its own /proc and /dev.
    assert all(path.split("/")[0] in ("bin", "data") for path in seen.paths())


def test_every_link_on_the_way(box: Box) -> None:
    seen = shell(box, "cat /data/link/link/one; cat /a/dangling; /usr/bin/cat /data/two")
    assert seen.uses[Use.FOLLOWED].keys() == {"data/link", "a/b", "a/c", "a/dangling", "usr/bin/cat"}
    assert {"data/one", "data/two"} <= seen.uses[Use.OPENED].keys()
    assert "/a/dangling" in seen.uses[Use.MISSING]


def test_threads_share_a_working_directory(box: Box) -> None:
    seen, _ = run(box, "/bin/calls", "threads")
    assert {"data/threads", "data/threads/moved"} <= seen.uses[Use.LOOKED_AT].keys()
    assert not seen.uses[Use.MISSING]


def test_processes_do_so_only_if_they_say_so(box: Box) -> None:
    seen, _ = run(box, "/bin/calls", "forks")
    looked = seen.uses[Use.LOOKED_AT]
    assert looked.keys() == {"", "data", "data/own", "data/own/mine", "data/one"}
    assert seen.uses[Use.MISSING].keys() == {"/data/own/two"}
    assert seen.uses[Use.OPENED] == {"data/by-vfork": "/bin/busybox"}
    assert seen.uses[Use.EXECUTED] == {"bin/busybox": "/bin/calls", "bin/calls": ""}


def test_paths_from_a_directory_and_programs_from_a_descriptor(box: Box) -> None:
    seen, _ = run(box, "/bin/calls", "places")
    assert {"data/one", "bin/hello"} <= seen.uses[Use.OPENED].keys()
    looked = seen.uses[Use.LOOKED_AT]
    assert {"data/two", "data/link", "data/threads/moved", "data/own/mine", "data/by-vfork"} <= looked.keys()
    assert seen.uses[Use.MISSING].keys() == {"/data/nowhere"}
    assert seen.uses[Use.EXECUTED]["bin/hello"] == "/bin/calls"
    assert looked["data/by-hello"] == "/bin/hello"
    assert "a/b" not in seen.paths()


def test_what_the_run_changed_is_not_the_image(box: Box) -> None:
    seen, _ = run(box, "/bin/calls", "deleted")
    assert seen.uses[Use.CREATED].keys() == {"/data/new", "/data/one", "/data/renamed", "/tmp/made"}
    assert "data/one" not in seen.uses[Use.OPENED]  # what was there is gone
    assert "data/one" in seen.uses[Use.LOOKED_AT]  # but something had to be
    assert "data/two" in seen.uses[Use.OPENED]  # by its new name
    assert "data/own/mine" in seen.uses[Use.OPENED]  # through a new link
    assert not seen.uses[Use.MISSING]


def test_a_program_that_the_run_made(box: Box) -> None:
    seen = shell(box, "cp /bin/hello /tmp/made; /tmp/made; cat /tmp/made > /dev/null; ls /tmp/none")
    assert "/tmp/made" in seen.uses[Use.CREATED]
    assert seen.uses[Use.LOOKED_AT]["data/by-hello"] == "/tmp/made"
    assert "bin/hello" in seen.uses[Use.OPENED]
    assert not any("made" in path for path in seen.paths())


def test_a_script_and_one_whose_interpreter_is_missing(box: Box) -> None:
    seen = shell(box, "/bin/script; /bin/broken")
    assert seen.uses[Use.EXECUTED]["bin/script"] == "/bin/busybox"
    assert seen.uses[Use.OPENED]["bin/script"] == "/bin/script"
    assert seen.uses[Use.OPENED]["data/one"] == "/bin/script"
    assert "bin/broken" in seen.uses[Use.LOOKED_AT]
    assert "/bin/broken" not in seen.uses[Use.MISSING]


def test_another_user_of_the_image(box: Box) -> None:
    for mode in ("threads", "places"):
        assert run(box, "/bin/calls", mode, user="33:34")[0] == run(box, "/bin/calls", mode)[0]
    seen, _ = run(box, "/bin/calls", "names", user="33:34")
    assert "data" in seen.uses[Use.LOOKED_AT]  # where it may not make anything
    assert not seen.uses[Use.CREATED]


def test_sockets(box: Box) -> None:
    seen, _ = run(box, "/bin/calls", "sockets")
    assert seen.uses[Use.MISSING].keys() == {"/run/absent"}
    assert seen.uses[Use.CREATED].keys() == {"/data/socket"}


def test_what_strace_does_not_see_is_refused(box: Box) -> None:
    assert run(box, "/bin/calls", "rings")[1] == "38 38\n"  # ENOSYS


def test_names_that_look_like_a_trace(box: Box) -> None:
    seen, _ = run(box, "/bin/calls", "names")
    assert seen.uses[Use.CREATED].keys() == {'/data/) = 5 "<...\n7 unlink("two") = 0\n'}
    assert seen.uses[Use.MISSING].keys() == {
        "/data/ <unfinished ...>",
        "/data/\udcff<... access resumed>) = 0",
        '/data/two" , R_OK) = 0',
    }
    assert "data/one" not in seen.paths()
    assert "data/two" not in seen.paths()


def test_two_runs_differ_in_what_they_did(box: Box) -> None:
    found = differences(shell(box, "cat /data/one"), shell(box, "cat /data/two"))
    assert (found.first, found.second) == (("data/one",), ("data/two",))


def test_it_ends_as_it_does_untraced(box: Box) -> None:
    def end(script: str, limits: Limits = LIMITS) -> tuple[int, str]:
        command = Command(("/bin/busybox", "sh", "-c", script), {"PATH": "/usr/bin"})
        with box.start(command, limits, trace=lambda piece: None) as running:
            ended = running.wait()
            return ended.code, ended.stopped

    assert end("exit 7") == (7, "")
    assert end("kill -KILL $$")[0] == 128 + signal.SIGKILL
    assert end("sleep 60", Limits(seconds=1)) == (128 + signal.SIGKILL, "it took more than 1 seconds")
    with pytest.raises(NotFound, match="/absent: No such file"):
        run(box, "/absent")


def test_signals_reach_the_program(box: Box) -> None:
    pieces: list[bytes] = []
    script = "trap 'echo bye; exit 3' TERM; echo ready; while :; do sleep 0.05; done"
    command = Command(("/bin/busybox", "sh", "-c", script), {"PATH": "/usr/bin"})
    with box.start(command, LIMITS, stdout=subprocess.PIPE, trace=pieces.append) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == b"ready\n"
        running.stop()
        assert running.stdout.read() == b"bye\n"
        assert running.wait().code == 3
    with box.start(command, LIMITS, stdout=subprocess.PIPE, trace=pieces.append) as running:
        assert running.stdout is not None
        running.stdout.readline()
        running.kill()
        assert running.stdout.read() == b""  # nobody who could write is left
        assert running.wait().code == 128 + signal.SIGKILL


def test_a_log_without_bound(box: Box) -> None:
    sizes: list[int] = []
    command = Command(("/bin/busybox", "sh", "-c", "while :; do [ -e /absent ]; done"), {"PATH": "/usr/bin"})
    limits = replace(LIMITS, trace=1 << 20)
    with box.start(command, limits, trace=lambda piece: sizes.append(len(piece))) as running:
        ended = running.wait()
    assert ended.stopped == "its trace took more than 1048576 bytes"
    assert sum(sizes) <= limits.trace


def test_who_reads_the_log_may_end_the_run(box: Box) -> None:
    def refuse(piece: bytes) -> None:
        raise InvalidDocument("the trace", "is refused")

    command = Command(("/bin/busybox", "sleep", "60"), {"PATH": "/usr/bin"})
    with (
        box.start(command, LIMITS, trace=refuse) as running,
        pytest.raises(InvalidDocument, match="is refused"),
    ):
        running.wait()


def test_the_program_does_not_get_at_the_log(box: Box) -> None:
    script = "ls -l /proc/[0-9]*/fd /proc/self/fd; for fd in 3 4 5 6 7 8 9; do echo forged > /proc/self/fd/$fd; done"
    pieces: list[bytes] = []
    command = Command(("/bin/busybox", "sh", "-c", script), {"PATH": "/usr/bin"})
    with box.start(
        command, LIMITS, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, trace=pieces.append
    ) as running:
        assert running.stdout is not None
        output = str(Path(f"/proc/self/fd/{running.stdout.fileno()}").readlink())
        words = running.stdout.read().decode().split()
        running.wait()
    assert {word for word in words if word.startswith("pipe:")} == {output}
    assert b"\nforged" not in b"".join(pieces)


def test_without_strace_it_says_so(box: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bwrap").symlink_to(require_program("bwrap"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with (
        pytest.raises(Unsupported, match="the trace: strace is not there; install the package strace"),
        box.start(Command(("/bin/sh",), {}), LIMITS, trace=lambda piece: None),
    ):
        pass


def test_a_log_from_elsewhere(box: Box, tmp_path: Path) -> None:
    log = tmp_path / "log"
    options = ["-f", "-y", "-tt", "-o", str(log)]
    subprocess.run(
        [require_program("strace"), *options, "cat", "/usr/bin/sh"], capture_output=True, check=True
    )
    seen = read_trace(log, box.tree)
    assert "usr/bin/sh" in seen.uses[Use.FOLLOWED]
    assert seen.uses[Use.OPENED].keys() >= {"bin/busybox"}


AS_USER = """
import json, subprocess, sys
from deadweight.image import open_image
from deadweight.sandbox import Command, Limits, open_box
from deadweight.sandbox.bubblewrap import ROOT
from deadweight.trace import Reader, observe
with open_image(sys.argv[1]) as image, open_box(image) as box:
    def seen(*argv):
        pieces = []
        command, limits = Command(argv, {"PATH": "/usr/bin"}), Limits(seconds=60)
        with box.start(command, limits, stdout=subprocess.DEVNULL, trace=pieces.append) as running:
            code = running.wait().code
        return code, observe(Reader("trace").read(pieces), box.tree, ROOT).to_json()
    print(json.dumps([seen("/bin/calls", what) for what in sys.argv[2:]]))
"""


def test_an_ordinary_user_sees_the_same(box: Box, layers: list[list[Item]]) -> None:
    require_program("newuidmap")
    modes = ("threads", "forks", "places", "deleted", "sockets", "names")
    with ordinary_user() as user, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        reference = write_layout(folder / "image", layers, compress=False)
        answers = json.loads(python_as(user, folder, AS_USER, reference, *modes))
    for mode, (code, seen) in zip(modes, answers, strict=True):
        assert (code, from_json(seen, mode)) == (0, run(box, "/bin/calls", mode)[0])


def test_a_second_program_in_a_sandbox_has_a_trace_of_its_own(box: Box) -> None:
    first, second = list[bytes](), list[bytes]()
    program = Command(("/bin/busybox", "sh", "-c", "echo > /tmp/made; cat; echo over"), {"PATH": "/usr/bin"})
    asked = Command(("/bin/busybox", "sh", "-c", "cat /tmp/made one; exit 5"), {"PATH": "/usr/bin"}, "/data")
    endless = Command(("/bin/busybox", "sh", "-c", "while :; do [ -e /absent ]; done"), {"PATH": "/usr/bin"})
    with box.start(program, LIMITS, stdin=subprocess.PIPE, trace=first.append) as running:
        assert running.started(30)
        while b"/tmp/made" not in b"".join(first):
            time.sleep(0.01)
        with box.join(running, asked, LIMITS, stdout=subprocess.DEVNULL, trace=second.append) as beside:
            assert (beside.wait().code, beside.wait().stopped) == (5, "")
        with box.join(running, endless, Limits(seconds=1), trace=lambda piece: None) as beside:
            assert beside.wait().stopped == "it took more than 1 seconds"
        assert not running.ended()
        running.kill()
    seen = observe(Reader("the trace").read(second), box.tree, ROOT)
    assert seen.uses[Use.EXECUTED] == {"bin/busybox": ""}
    assert seen.uses[Use.OPENED] == {"data/one": "/bin/busybox"}
    assert seen.uses[Use.LOOKED_AT]["data"] == ""
    assert not {"/tmp/made", "data/one"} & set(seen.uses[Use.MISSING])
    mine = observe(Reader("the trace").read(first), box.tree, ROOT)
    assert "data/one" not in mine.paths()
    assert mine.uses[Use.CREATED].keys() == {"/tmp/made"}
