"""Whatever calls with whatever paths, written as strace does and read: the same calls; and what they did to real files."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from deadweight.trace import Reader, Use, observe
from deadweight.trace.strace import Call
from deadweight.trace.strace import Place as Read
from deadweight.tree.merge import merge
from layer_stacks import Item, index_of
from strace_by_hand import Place, Said, errors, escaped

_WORDS = st.sampled_from(
    [b'"', b"\\", b"<", b">", b") = ", b" <unfinished ...>", b"\n", b"<... open resumed>", b"7", b"/", b"(deleted)", b"\xff", b"\xc3\xa4", b"\x01", b"+++ exited with 0 +++"]
)  # fmt: skip
PATHS = st.lists(_WORDS | st.binary(min_size=1, max_size=3), max_size=4).map(
    lambda parts: b"".join(parts).replace(b"\0", b"")
)
PLACES = st.builds(
    Place,
    PATHS,
    PATHS.map(lambda path: b"/" + path),
    st.none() | st.integers(0, 99),
    st.booleans(),
).map(lambda place: place if place.number is not None else Place(place.path, place.base))
RESULTS = st.one_of(
    st.integers(0, 1 << 31).map(str),
    st.sampled_from(sorted(errors())).map(lambda name: f"-1 {name} ({errors()[name]})"),
    st.just("?"),
    st.just("? ERESTARTSYS (To be restarted if SA_RESTART is set)"),
    PATHS.map(lambda path: f"5</{escaped(path, True)}>"),
)
OTHER_WORDS = st.sampled_from(
    [
        "O_RDONLY",
        "0",
        '["x) = 1", "<"]',
        "{st_mode=S_IFREG|0644, st_size=5, ...}",
        "0x7f /* 3 vars */",
        '"\\"".',
    ]
)


def text(path: bytes) -> str:
    return f'"{escaped(path)}"'


def read(path: bytes) -> str:
    return path.decode("utf-8", "surrogateescape")


@st.composite
def calls(draw: st.DrawFn) -> tuple[Said, tuple[Read, ...]]:
    """A call of any shape, and the places that are to be read."""

    def place() -> tuple[list[str], Read]:
        drawn = draw(PLACES)
        base = None if drawn.deleted else read(drawn.base)
        return [drawn.written(), text(drawn.path)], Read(base, read(drawn.path))

    one, other = draw(PATHS), draw(PATHS)
    shape = draw(
        st.sampled_from(["access", "openat", "renameat2", "rename", "symlinkat", "getdents64", "connect"])
    )
    expected: tuple[Read, ...] = (Read("", read(one)),)
    if shape == "access":
        words = [text(one)]
    elif shape == "connect":
        words = ["4<socket:[5]>", f"{{sa_family=AF_UNIX, sun_path={text(one)}}}"]
    elif shape == "rename":
        words, expected = [text(one), text(other)], (Read("", read(one)), Read("", read(other)))
    elif shape == "symlinkat":
        at, where = place()
        words, expected = [text(one), *at], (*expected, where)
    elif shape == "getdents64":
        words, expected = [f"3<{escaped(b'/' + one, True)}>"], (Read("/" + read(one), "."),)
    elif shape == "openat":
        words, where = place()
        expected = (where,)
    else:
        first, second = place(), place()
        words, expected = [*first[0], *second[0]], (first[1], second[1])
    words += draw(st.lists(OTHER_WORDS, max_size=2))
    cut = draw(st.none() | st.integers(0, len(words)))
    said = Said(draw(st.integers(1, 9)), shape, tuple(words), draw(RESULTS), cut)
    return said, expected


def interleaved(said: Sequence[Said], order: Sequence[int]) -> tuple[str, list[int]]:
    """The log of calls some of which end after others have spoken, and the order in which they return."""
    log, open_calls, returned = "", dict[int, tuple[int, str]](), list[int]()

    def end(process: int) -> None:
        nonlocal log
        number, line = open_calls.pop(process)
        log += line
        returned.append(number)

    for number, one in enumerate(said):
        if one.process in open_calls:
            end(one.process)
        first, last = one.lines()
        log += first
        open_calls[one.process] = (number, last)
        if not first or order[number % len(order)] % 2:
            end(one.process)
    for process in sorted(open_calls):
        end(process)
    return log, returned


@given(st.lists(calls(), max_size=8), st.lists(st.integers(0, 1), min_size=1, max_size=5), st.integers(1, 40))
def test_what_was_written_is_read(
    drawn: list[tuple[Said, tuple[Read, ...]]], order: list[int], step: int
) -> None:
    log, returned = interleaved([said for said, _ in drawn], order)
    raw = log.encode("ascii")
    events = list(Reader("log").read(raw[at : at + step] for at in range(0, len(raw), step)))
    assert len(events) == len(returned)
    for event, number in zip(events, returned, strict=True):
        said, places = drawn[number]
        assert isinstance(event, Call)
        assert (event.process, event.kind.name, event.places) == (said.process, said.name, places)
        result, _, rest = said.result.partition(" ")
        if "<" in said.result:
            assert event.result == 5
            assert event.opened is not None
            assert f"5<{escaped(os.fsencode(event.opened), True)}>" == said.result
        else:
            assert event.result == (None if result == "?" else int(result))
            assert event.error == rest.partition(" ")[0]


@given(st.text('0123456789 \n"<>()=/\\,.?+-abc', max_size=200), st.integers(1, 9))
@example("1 fork( <unfinished ...>\n1 <... fork resumed> <unfinished ...>", 1)
def test_pieces_do_not_matter(log: str, step: int) -> None:
    def events(pieces: Sequence[bytes]) -> object:
        found: list[object] = []
        try:
            found += Reader("log").read(pieces)
        except Exception as error:  # noqa: BLE001 - the same one, whatever it is
            found.append(str(error))
        return found

    raw = log.encode()
    whole, parts = events([raw]), events([raw[at : at + step] for at in range(0, len(raw), step)])
    assert (whole == parts) or str(whole[-1]) == str(parts[-1])  # type: ignore[index]


LOCAL = st.lists(st.sampled_from(["a", "b", "c", "..", "."]), min_size=1, max_size=4).map("/".join)
CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["mkdir", "symlink", "rename", "unlink", "rmdir", "link", "creat"]), LOCAL, LOCAL
    ),
    max_size=12,
)
ITEMS = [
    Item("a/a", "f", b"1"),
    Item("a/b/c", "f", b"2"),
    Item("b", "l", link="a/b"),
    Item("c/a", "l", link="../b"),
    Item("c/b", "l", link="c"),
]
DEEP = "/".join(["top"] * 30)
"""So deep that no path climbs out of it."""
_CALLS: Mapping[str, Callable[[str, str], object]] = {
    "mkdir": lambda one, _: os.mkdir(one),  # noqa: PTH102 - the calls themselves
    "symlink": lambda one, other: os.symlink(one, other),  # noqa: PTH211
    "rename": lambda one, other: os.rename(one, other),  # noqa: PTH104
    "unlink": lambda one, _: os.unlink(one),  # noqa: PTH108
    "rmdir": lambda one, _: os.rmdir(one),  # noqa: PTH106
    "link": lambda one, other: os.link(one, other, follow_symlinks=False),
    "creat": lambda one, _: os.close(os.open(one, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o644)),
}


def said(top: Path, name: str, one: str, other: str) -> str:
    """Does it to the real files in `top`; the line that strace writes for it."""
    log = ", ".join(f'"{path}"' for path in (f"/{DEEP}/{one}", f"/{DEEP}/{other}"))
    paths = (f"{top}/{one}", f"{top}/{other}")
    if name == "symlink":
        log, paths = f'"{one}", "/{DEEP}/{other}"', (one, f"{top}/{other}")
    elif name not in ("rename", "link"):
        log = f'"/{DEEP}/{one}", 0777'
    try:
        _CALLS[name](*paths)
    except OSError as error:
        return f"1 {name}({log}) = -1 {errno.errorcode[error.errno or 0]} (x)\n"
    return f"1 {name}({log}) = 0\n"


@settings(deadline=None)
@given(CHANGES, st.lists(LOCAL, min_size=1, max_size=6))
@example([("link", "a/a", "c/c"), ("rename", "c/c", "a/a")], ["c/c"])
@example([("unlink", "a/a", "."), ("creat", "a/a", ".")], ["a/a"])
@example([("symlink", "a/b", "c/c"), ("rename", "a", "a/b"), ("creat", "c/b", ".")], ["c/c/c", "c/b"])
def test_paths_lead_where_the_kernel_says(changes: list[tuple[str, str, str]], asked: list[str]) -> None:
    tree = merge([index_of([replace(item, path=f"{DEEP}/{item.path}") for item in ITEMS])]).tree
    with tempfile.TemporaryDirectory() as name, ExitStack() as held:
        top = Path(name, DEEP)
        for item in ITEMS:
            file = top / item.path
            file.parent.mkdir(parents=True, exist_ok=True)
            if item.kind == "l":
                file.symlink_to(item.link)
            else:
                file.write_bytes(item.content)
        origins: dict[int, str] = {}
        for path, _ in tree.walk():
            # Held, so that its number stays taken.
            real = os.open(f"{name}/{path}", os.O_PATH | os.O_NOFOLLOW)
            held.callback(os.close, real)
            origins[os.fstat(real).st_ino] = path

        def origin(path: str) -> set[str]:
            number = os.stat(path).st_ino  # noqa: PTH116
            return {origins[number]} if number in origins else set()

        log, expected = "", set[str]()
        for change in changes:
            log += said(top, *change)
            if change[0] == "creat" and log.endswith(" = 0\n"):  # an old one counts as opened, too
                expected |= origin(f"{top}/{change[1]}")
        for path in asked:
            if os.path.exists(f"{top}/{path}"):  # noqa: PTH110
                log += f'1 open("/{DEEP}/{path}", O_RDONLY) = 3\n'
                expected |= origin(f"{top}/{path}")
    observed = observe(Reader("log").read([log.encode()]), tree)
    assert set(observed.uses[Use.OPENED]) == expected
