"""Lines of strace, one kind after the other."""

from __future__ import annotations

import pytest

from deadweight.errors import InvalidDocument, LimitExceeded
from deadweight.trace import Reader, strace
from deadweight.trace.calls import KINDS
from deadweight.trace.strace import Call, Ended, Event, Forking, Place


def read(*lines: str) -> list[Event]:
    return list(Reader("log").read(line.encode() + b"\n" for line in lines))


def call(line: str) -> Call:
    (event,) = read(line)
    assert isinstance(event, Call)
    return event


def test_a_path_from_a_directory() -> None:
    line = '17 openat(3</srv>, "a/b", O_RDONLY|O_CLOEXEC) = 4</srv/a/b>'
    assert call(line) == Call(
        17, KINDS["openat"], (Place("/srv", "a/b"),), ", O_RDONLY|O_CLOEXEC", 4, "", "/srv/a/b"
    )
    failed = call('17 openat(AT_FDCWD</srv>, "a", O_RDONLY) = -1 ENOENT (No such file or directory)')
    assert (failed.places, failed.result, failed.error, failed.opened) == (
        (Place("/srv", "a"),),
        -1,
        "ENOENT",
        None,
    )


@pytest.mark.parametrize(
    ("line", "places"),
    [
        ('access("/a", F_OK) = 0', (Place("", "/a"),)),
        ('open("a"..., O_RDONLY) = 3</a>', (Place("", "a"),)),
        ("open(NULL, O_RDONLY) = -1 EFAULT (Bad address)", (Place("", None),)),
        ("openat(AT_FDCWD</>, 0x5, O_RDONLY) = -1 EFAULT (Bad address)", (Place("/", None),)),
        ('openat(AT_FDCWD, "a", O_RDONLY) = 3', (Place("", "a"),)),
        ('openat(-1, "/a", O_RDONLY) = 3</a>', (Place(None, "/a"),)),
        ('openat(5</tmp/x>(deleted), "a", O_RDONLY) = 3</a>', (Place(None, "a"),)),
        ('openat(5<socket:[7]>, "a", O_RDONLY) = -1 ENOTDIR (x)', (Place(None, "a"),)),
        ("getdents64(3</a>, 0x55 /* 5 entries */, 32768) = 144", (Place("/a", "."),)),
        ("fchdir(3</a>) = 0", (Place("/a", "."),)),
        ('inotify_add_watch(9<anon_inode:inotify>, "/a", IN_CREATE) = 1', (Place("", "/a"),)),
        ('fanotify_mark(4<x>, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD</b>, "a") = 0', (Place("/b", "a"),)),
        ('rename("a", "/b") = 0', (Place("", "a"), Place("", "/b"))),
        (
            'renameat2(AT_FDCWD</>, "a", 4</d>, "b", RENAME_NOREPLACE) = 0',
            (Place("/", "a"), Place("/d", "b")),
        ),
        ('symlink("to", "from") = 0', (Place("", "to"), Place("", "from"))),
        ('symlinkat("to", 4</d>, "from") = 0', (Place("", "to"), Place("/d", "from"))),
        ('connect(3<socket:[1]>, {sa_family=AF_UNIX, sun_path="/run/s"}, 110) = 0', (Place("", "/run/s"),)),
        ('connect(3<socket:[1]>, {sa_family=AF_UNIX, sun_path=@"abstract"}, 20) = 0', (Place("", None),)),
        ("connect(3<socket:[1]>, {sa_family=AF_INET, sin_port=htons(80)}, 16) = 0", (Place("", None),)),
        ('execve("/a", [...], 0x7f /* 3 vars */) = 0', (Place("", "/a"),)),
        ('execve("/a", ["a", ") = 5"], 0x7f /* 3 vars */) = 0', (Place("", "/a"),)),
        ('mknod("/a", S_IFCHR|0666, makedev(0x1, 0x3)) = 0', (Place("", "/a"),)),
        ('access("/a", F_OK)               = 0', (Place("", "/a"),)),
        ('access("/a", F_OK) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)', (Place("", "/a"),)),
    ],
)
def test_where_the_paths_are(line: str, places: tuple[Place, ...]) -> None:
    assert call(f"1 {line}").places == places


def test_texts_are_as_in_c() -> None:
    text = r"a\"b\\c\n\t\v\f\r\0\3031\303\244\377\x41) = 5"
    expected = b'a"b\\c\n\t\v\f\r\0\xc31\xc3\xa4\xffA) = 5'.decode("utf-8", "surrogateescape")
    assert call(f'1 access("{text}", F_OK) = 0').places[0].path == expected
    opened = call(r'1 openat(3</a\74\76 "\\) = 5>, "x", O_RDONLY) = 4</a\74\76 "\\) = 5/x>')
    assert opened.places[0].base == '/a<> "\\) = 5'
    assert opened.opened == '/a<> "\\) = 5/x'


def test_who_and_when() -> None:
    for start in (
        "",
        "7 ",
        "7     ",
        "[pid     7] ",
        "12:34:56 ",
        "7 12:34:56.789012 ",
        "[pid 7] 1795559109.123456 ",
        "7      0.000123 ",
        "1795559109.1 (+     0.000101) ",
    ):
        found = call(f'{start}access("/a", F_OK) = 0')
        assert found.process == (7 if "7 " in start[:4] or "pid" in start else 0), start


def test_a_call_in_two_lines() -> None:
    events = read(
        '1 openat(AT_FDCWD</>, "/a <unfinished ...>", O_RDONLY <unfinished ...>',
        '2 access("/b", F_OK) = 0',
        "1 --- SIGCHLD {si_signo=SIGCHLD} ---",
        "1 <... openat resumed>) = 3</a>",
        "1 getdents64(3</a>,  <unfinished ...>",
        "2 <... access resumed>) = 0",
        "1 <... getdents64 resumed>0x5 /* 0 entries */, 32768) = 0",
        "1 futex(0x5, FUTEX_WAIT, 2, NULL <unfinished ...>",
        "1 <... futex resumed>) = ?",
        '1 open("/c", O_RDONLY <unfinished ...>) = ?',
    )
    calls = [event for event in events if isinstance(event, Call)]
    assert [(one.process, one.places[0].path) for one in calls] == [
        (2, "/b"),
        (1, "/a <unfinished ...>"),
        (1, "."),
        (1, "/c"),
    ]
    assert (calls[1].opened, calls[3].result) == ("/a", None)


def test_new_processes_by_the_numbers_of_strace() -> None:
    flags = "child_stack=NULL, flags=CLONE_FS|SIGCHLD"
    events = read(
        f"1 clone({flags}) = 5 /* 105 in strace's PID NS */",
        "1 vfork( <unfinished ...>",
        "2 +++ exited with 0 +++",
        "1 <... vfork resumed>) = 107",
        "1 clone3({flags=CLONE_VM, exit_signal=0} => {parent_tid=[8]}, 88 <unfinished ...>",
        "1 <... clone3 resumed>) = -1 EAGAIN (Resource temporarily unavailable)",
    )
    assert [type(event) for event in events] == [Call, Forking, Ended, Call, Forking, Call]
    results = [event.result for event in events if isinstance(event, Call)]
    assert results == [105, 107, -1]
    assert "CLONE_FS" in str(events[0])


def test_a_thread_that_becomes_another_program() -> None:
    events = read(
        '12 execve("/a", [...], 0x7f /* 3 vars */ <unfinished ...>',
        "11 +++ superseded by execve in pid 12 +++",
        "11 <... execve resumed>) = 0",
        "11 +++ killed by SIGKILL +++",
    )
    assert [(type(event), event.process) for event in events] == [(Ended, 12), (Call, 11), (Ended, 11)]


def test_what_is_of_no_interest() -> None:
    assert (
        read(
            "",
            "strace: Process 12 attached",
            "1 read(3</a>, ..., 10) = 10",
            "1 exit_group(0) = ?",
            "1 [ Process PID=1 runs in 32 bit mode. ]",
            "1 ????( <unfinished ...>",
            "1 restart_syscall(<... resuming interrupted read ...>) = 0",
            '1 open("/a", O_RDONLY <detached ...>',
            "1 <... access resumed>) = 0",
            "1 read(3</a>,  <unfinished ...>",
            "1 <... read resumed>..., 10) = 1",
        )
        == []
    )


def test_a_last_line_that_was_cut_off_does_not_count() -> None:
    log = b'1 access("/a", F_OK) = 0\n1 access("/b", F_OK) = 0'
    assert len(list(Reader("log").read([log]))) == 1
    pieces = (log[at : at + 1] for at in range(len(log)))
    assert len(list(Reader("log").read(pieces))) == 1


@pytest.mark.parametrize(
    "line",
    [
        "hello",
        '1 access("/a',
        '1 access("/a", F_OK)',
        "1 access(/a, F_OK) = 0",
        '1 openat("/a", O_RDONLY) = 3',
    ],
)
def test_what_strace_does_not_write(line: str) -> None:
    with pytest.raises(InvalidDocument, match=r"log, line 2: is not as strace writes it; strace -f -y"):
        read("", line)


def test_a_descriptor_without_its_path() -> None:
    assert call('1 openat(3, "/a", O_RDONLY) = 4').places == (Place(None, "/a"),)
    assert call('1 newfstatat(3, "", {st_mode=S_IFREG}, AT_EMPTY_PATH) = 0').places == (Place(None, ""),)
    with pytest.raises(InvalidDocument, match="does not say which file the descriptor 3 is; let strace"):
        read('1 openat(3, "a", O_RDONLY) = 4')


def test_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    path = "/a" * 2047
    long = "".join(f"\\{ord(letter):03o}" for letter in path)
    assert call(f'1 rename("{long}", "{long}") = 0').places[1].path == path
    with pytest.raises(LimitExceeded, match=r"log, line 1: has more than 262144 bytes"):
        list(Reader("log").read([b"1 access(", b"a" * strace.MAX_LINE]))
    monkeypatch.setattr(strace, "MAX_UNFINISHED", 1000)
    lines = [f'{number} access("/a", F_OK <unfinished ...>' for number in range(100)]
    with pytest.raises(LimitExceeded, match="more than 1000 bytes of calls have no end"):
        read(*lines)
    read(*(line.replace(str(number), "1", 1) for number, line in enumerate(lines)))


@pytest.mark.parametrize(
    "rest",
    [
        '"' * 200_000,
        "<" * 200_000,
        ")" * 200_000,
        '"\\' * 100_000,
        "<>" * 100_000,
        ") = " * 50_000,
        "\\" * 200_001,
    ],
)
def test_long_lines_take_time_in_proportion(rest: str) -> None:
    for line in (f'1 access("/a", {rest}', f'1 access("{rest}', f'1 openat(3<{rest}, "a"', f"{rest}"):
        try:
            read(line)
        except InvalidDocument:
            continue
