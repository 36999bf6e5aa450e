"""From calls to uses of paths: what programs do not show, since it goes wrong only now and then."""

from __future__ import annotations

from pathlib import Path

import pytest

from deadweight.errors import InvalidDocument, LimitExceeded, TransportError
from deadweight.trace import Observed, Reader, Use, observe, observer, read_trace, view
from deadweight.tree.merge import merge
from deadweight.tree.node import Tree
from layer_stacks import Item, index_of

START = '2 chroot("/image") = 0\n2 chdir("/srv") = 0\n2 execve("/bin/sh", [...], 0x7f /* 1 var */) = 0\n'
"""How the image's program begins, behind another process."""
BEFORE = '1 execve("/usr/bin/bwrap", [...], 0x7f /* 1 var */) = 0\n1 access("/etc", F_OK) = 0\n1 clone(flags=SIGCHLD) = 2\n'


def tree() -> Tree:
    return merge(
        [
            index_of(
                [
                    Item("bin/sh", "f", b"x"),
                    Item("etc/a", "f", b"x"),
                    Item("srv/a", "f", b"x"),
                    Item("srv/b", "d"),
                    Item("proc/x", "f", b"x"),
                    Item("one", "l", link="two"),
                    Item("two", "l", link="one"),
                    Item("out", "l", link="/proc/self/fd/1"),
                    Item("up", "l", link="../../.."),
                ]
            )
        ]
    ).tree


def seen(log: str, mount: str = "/image") -> Observed:
    return observe(Reader("log").read([(BEFORE + START + log).encode()]), tree(), mount)


def looked(log: str) -> set[str]:
    """What the calls in `log` looked at beside the working directory."""
    return set(seen(log).uses[Use.LOOKED_AT]) - {"srv"}


def test_it_begins_with_the_program_of_the_image() -> None:
    found = seen("")
    assert found.uses[Use.EXECUTED] == {"bin/sh": ""}
    assert found.uses[Use.LOOKED_AT] == {"srv": ""}
    assert found.paths() == {"bin/sh", "srv"}
    again = seen(
        '1 access("/etc/a", F_OK) = 0\n3 execve("/etc/a", [...], 0x7f /* 1 var */ <unfinished ...>\n'
    )
    assert again == found


def test_a_child_that_speaks_before_it_is_announced() -> None:
    log = (
        "2 clone(flags=CLONE_FS|SIGCHLD <unfinished ...>\n"
        '3 chdir("b") = 0\n'
        "2 <... clone resumed>) = 3\n"
        '2 access("../a", F_OK) = 0\n'
    )
    assert looked(log) == {"srv/a", "srv/b"}


def test_a_child_that_has_ended_before_strace_knew_its_number() -> None:
    log = (
        "2 vfork( <unfinished ...>\n"
        '3 chdir("b") = 0\n'
        "3 +++ exited with 0 +++\n"
        "2 <... vfork resumed>) = 4\n"  # as its own namespace counts
        "2 clone(flags=SIGCHLD <unfinished ...>\n"
        '4 access("a", F_OK) = 0\n'
        "2 <... clone resumed>) = 5 /* 4 in strace's PID NS */\n"
        "2 clone(flags=SIGCHLD) = 6 /* 5 in strace's PID NS */\n"
        '5 access("/etc/a", F_OK) = 0\n'
    )
    assert looked(log) == {"srv/a", "srv/b", "etc/a"}


def test_children_whose_parent_is_not_known_yet_wait() -> None:
    log = (
        "2 clone(flags=SIGCHLD) = 3\n"
        '3 chdir("/etc") = 0\n'
        "2 clone(flags=SIGCHLD <unfinished ...>\n"
        "3 clone(flags=SIGCHLD <unfinished ...>\n"
        '4 access("a", F_OK) = 0\n'
        '5 access("a", F_OK) = 0\n'
        "5 +++ exited with 0 +++\n"
        "2 <... clone resumed>) = 5\n"
        "3 <... clone resumed>) = 4\n"
    )
    assert looked(log) == {"etc", "etc/a", "srv/a"}
    cut = log[: log.index("2 <... clone resumed")]
    assert looked(cut) >= {"etc", "srv/a"}


def test_a_child_of_one_that_was_killed_is_still_the_images() -> None:
    log = (
        "2 clone(flags=SIGCHLD <unfinished ...>\n2 +++ killed by SIGKILL +++\n"
        '3 access("/etc/a", F_OK) = 0\n3 openat(AT_FDCWD</image/srv>, "a", O_RDONLY) = 3</image/srv/a>\n'
    )
    found = seen(log)
    assert "etc/a" in found.uses[Use.LOOKED_AT]
    assert "srv/a" in found.uses[Use.OPENED]


def test_any_error_but_one_says_that_something_is_there() -> None:
    assert looked('2 readlink("a", 0x5, 9) = -1 EINVAL (Invalid argument)\n') == {"srv/a"}
    assert looked('2 access("/etc/a/b", F_OK) = -1 ENOTDIR (Not a directory)\n') == {"etc/a"}
    assert looked('2 mkdir("/srv/b", 0755) = -1 EEXIST (File exists)\n') == {"srv/b"}
    assert looked('2 rmdir("/srv") = -1 ENOTEMPTY (Directory not empty)\n') == set()
    assert looked('2 access("a", F_OK) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)\n') == set()
    assert looked('2 access("a", F_OK) = ?\n') == {"srv/a"}
    found = seen('2 access("/one", F_OK) = -1 ELOOP (Too many levels of symbolic links)\n')
    assert found.uses[Use.FOLLOWED].keys() == {"one", "two"}


def test_what_is_missing_is_as_it_was_asked_for() -> None:
    found = seen(
        '2 access("b/../c", F_OK) = -1 ENOENT (x)\n'
        '2 openat(3</image/etc>, "c", O_RDONLY) = -1 ENOENT (x)\n'
        '2 rename("d", "e") = -1 ENOENT (x)\n'
        '2 rename("a", "/x/y") = -1 ENOENT (x)\n'
        '2 access("/proc/99", F_OK) = -1 ENOENT (x)\n'
        '2 unlink("a") = 0\n'
        '2 access("a", F_OK) = -1 ENOENT (x)\n'
    )
    assert found.uses[Use.MISSING].keys() == {"/srv/b/../c", "/etc/c", "/srv/d", "/x/y"}


def test_links_are_followed_to_what_is_missing_too() -> None:
    """Without the link a program that makes a file would make another one."""
    found = seen(
        '2 openat(AT_FDCWD</image/srv>, "/up/none", O_RDWR|O_CREAT, 0666) = -1 ENOENT (x)\n'
        '2 openat(AT_FDCWD</image/srv>, "/out", O_WRONLY) = -1 ENXIO (x)\n'
    )
    assert found.uses[Use.FOLLOWED].keys() == {"out", "up"}
    assert found.uses[Use.MISSING].keys() == {"/up/none"}


def test_the_sandboxes_own_folders() -> None:
    found = seen(
        '2 openat(AT_FDCWD</image/srv>, "/proc/x", O_RDONLY) = 3</image/proc/x>\n'
        '2 openat(AT_FDCWD</image/srv>, "/out", O_WRONLY) = 3<pipe:[5]>\n'
        '2 openat(AT_FDCWD</image/srv>, "/dev/null", O_RDWR|O_CREAT, 0666) = 3</image/dev/null>\n'
        "2 getdents64(3</image/proc>, 0x5 /* 5 entries */, 100) = 5\n"
        '2 openat(AT_FDCWD</image/srv>, "/proc/self/root/etc/a", O_RDONLY) = 4</image/etc/a>\n'
        '2 readlink("/proc/self/exe", ""..., 9) = 7\n'
        '2 openat(AT_FDCWD</image/srv>, "/proc/self/fd/5", O_RDONLY) = 4</image/srv/a>\n'
        '2 chdir("/proc") = 0\n2 access("x", F_OK) = 0\n'
        '2 openat(AT_FDCWD</image/proc>, "../up/up/etc", O_RDONLY) = 4</image/etc>\n'
    )
    assert found.uses[Use.OPENED].keys() == {"etc/a", "srv/a", "etc"}
    assert found.uses[Use.FOLLOWED].keys() == {"out"}
    assert not found.uses[Use.CREATED]


def test_the_root_has_nothing_above_it() -> None:
    assert looked('2 access("../../../etc/a", F_OK) = 0\n2 access("/up/srv/a", F_OK) = 0\n') == {
        "etc/a",
        "srv/a",
    }
    inner = (
        '2 chroot("/etc") = 0\n2 access("/../a", F_OK) = 0\n2 chdir("/") = 0\n2 access("../a", F_OK) = 0\n'
    )
    assert looked(inner) == {"etc", "etc/a"}


def test_programs_by_name() -> None:
    log = (
        '2 execve("/proc/self/exe", [...], 0x7f /* 1 var */) = 0\n2 access("/etc", F_OK) = 0\n'
        '2 execveat(5</memfd:x>(deleted), "", [...], 0x7f /* 1 var */, AT_EMPTY_PATH) = 0\n'
        '2 access("/etc/a", F_OK) = 0\n'
    )
    assert seen(log).uses[Use.LOOKED_AT] == {"etc": "/bin/sh", "etc/a": "", "srv": ""}


def test_exchanged_names() -> None:
    found = seen(
        '2 renameat2(AT_FDCWD</image/srv>, "a", AT_FDCWD</image/srv>, "/etc/a", RENAME_EXCHANGE) = 0\n'
        '2 open("a", O_RDONLY) = 3</image/srv/a>\n'
    )
    assert found.uses[Use.OPENED].keys() == {"etc/a"}
    assert looked('2 rename("/srv", "/srv/b/c") = 0\n2 access("/srv/a", F_OK) = 0\n') == {"srv/b", "srv/a"}


def test_what_the_run_does_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(view, "MAX_MADE", 10)
    with pytest.raises(LimitExceeded, match="the run makes more than 10 names"):
        seen("".join(f'2 mkdir("{number}", 0755) = 0\n' for number in range(20)))
    monkeypatch.setattr(observer, "MAX_ASKED", 10)
    with pytest.raises(LimitExceeded, match="more than 10 paths are missing"):
        seen("".join(f'2 access("{number}", F_OK) = -1 ENOENT (x)\n' for number in range(20)))


def test_a_trace_from_elsewhere(tmp_path: Path) -> None:
    file = tmp_path / "trace"
    file.write_bytes(b"/srv/a\n/up/etc/a\n\n/srv\n/none\xff\n/proc/self")
    found = read_trace(file, tree())
    assert found.uses[Use.OPENED].keys() == {"srv/a", "etc/a"}
    assert found.uses[Use.LOOKED_AT].keys() == {"srv"}
    assert found.uses[Use.FOLLOWED].keys() == {"up"}
    assert found.uses[Use.MISSING].keys() == {"/none\udcff"}
    file.write_text('execve("/bin/sh", ["sh"], 0x7f /* 1 var */) = 0\naccess("srv/b", F_OK) = 0')
    found = read_trace(file, tree())
    assert (set(found.uses[Use.EXECUTED]), set(found.uses[Use.LOOKED_AT])) == ({"bin/sh"}, {"srv/b"})


def test_what_is_no_trace(tmp_path: Path) -> None:
    file = tmp_path / "trace"
    with pytest.raises(TransportError, match="trace: No such file"):
        read_trace(file, tree())
    for content, problem in (
        (b"", "is empty"),
        (b"/a\nb\n", "line 2: is no absolute path"),
        (b"a\n", "line 1: is not as"),
    ):
        file.write_bytes(content)
        with pytest.raises(InvalidDocument, match=problem):
            read_trace(file, tree())
    file.write_bytes(b"/" * 100_000)
    with pytest.raises(LimitExceeded, match="has a line of more than 65536 bytes"):
        read_trace(file, tree())
