"""The OCI rules for applying layers, one at a time, as plainly and slowly as they can be put.

A file system is a dict from every path to its inode; nothing is shared with the code that is tested.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from layer_stacks import Item, Stack


class CannotApply(Exception):
    """A stack that no runtime can unpack."""


@dataclass(eq=False)
class Inode:
    kind: str
    content: bytes = b""
    link: str = ""
    origin: tuple[int, int] | None = None


@dataclass
class Result:
    """Path -> inode of what is visible; (layer, number) -> class of every content."""

    files: dict[str, Inode]
    classes: dict[tuple[int, int], str]


@dataclass
class _State:
    files: dict[str, Inode] = field(default_factory=lambda: {"": Inode("d")})
    touched: set[str] = field(default_factory=set)
    hidden: dict[tuple[int, int], str] = field(default_factory=dict)


def apply(stack: Stack) -> Result:
    state = _State()
    contents: list[tuple[int, int]] = []
    for layer, items in enumerate(stack):
        state.touched = set()
        for number, item in enumerate(items):
            if item.kind == "f":
                contents.append((layer, number))
            _apply_item(state, item, (layer, number))
    visible = {inode.origin for inode in state.files.values()}
    classes = {}
    for origin in contents:
        layer, number = origin
        name = stack[layer][number].path.rpartition("/")[2]
        if origin in visible or name.startswith(".wh."):
            classes[origin] = "live"
        else:
            classes[origin] = state.hidden[origin]
    return Result(state.files, classes)


def _apply_item(state: _State, item: Item, origin: tuple[int, int]) -> None:
    directory, _, name = item.path.rpartition("/")
    if name.startswith(".wh."):
        parent = _resolve(state, directory)
        if name == ".wh..wh..opq":
            _remove_lower(state, parent, itself=False)
        else:
            _remove_lower(state, _join(parent, name[4:]), itself=True)
        return
    parent = _resolve(state, directory)
    path = _join(parent, name)
    new = Inode(item.kind, item.content, item.link, origin if item.kind == "f" else None)
    _make_parents(state, parent)
    if item.kind == "h":
        target_directory, _, target_name = item.link.rpartition("/")
        target = state.files.get(_join(_resolve(state, target_directory), target_name))
        if target is None or target.kind == "d":
            raise CannotApply(item.link)
        if target is state.files.get(path):
            _touch(state, path)  # the same name once more: it is of this layer now
            return
        new = target
    old = state.files.get(path)
    if old is not None and old.kind == "d" and new.kind == "d":
        state.files[path] = new
    else:
        if old is not None:
            same = old.kind == "f" and new.kind == "f" and old.content == new.content
            _remove(state, path, "restated" if same else "superseded", spare=new)
        state.files[path] = new
    _touch(state, path)


def _join(directory: str, name: str) -> str:
    return f"{directory}/{name}" if directory else name


def _resolve(state: _State, path: str) -> str:
    done: list[str] = []
    todo = path.split("/")
    links = 0
    while todo:
        part = todo.pop(0)
        if part in ("", "."):
            continue
        if part == "..":
            done = done[:-1]
            continue
        here = "/".join([*done, part])
        inode = state.files.get(here)
        if inode is not None and inode.kind == "l":
            links += 1
            if links > 255:
                raise CannotApply("loop")
            todo = inode.link.split("/") + todo
            if inode.link.startswith("/"):
                done = []
        else:
            done.append(part)
    return "/".join(done)


def _make_parents(state: _State, path: str) -> None:
    parts = path.split("/") if path else []
    for length in range(1, len(parts) + 1):
        here = "/".join(parts[:length])
        inode = state.files.get(here)
        if inode is not None and inode.kind != "d":
            _remove(state, here, "superseded", spare=None)
            inode = None
        if inode is None:
            state.files[here] = Inode("d")
            _touch(state, here)


def _touch(state: _State, path: str) -> None:
    while path:
        state.touched.add(path)
        path = path.rpartition("/")[0]


def _below(state: _State, path: str) -> list[str]:
    prefix = path + "/" if path else ""
    return [other for other in state.files if other and other != path and other.startswith(prefix)]


def _remove(state: _State, path: str, kind: str, spare: Inode | None) -> None:
    for other in [path, *_below(state, path)]:
        inode = state.files.pop(other)
        if inode.origin is None or inode is spare:
            continue
        if all(left is not inode for left in state.files.values()):
            state.hidden[inode.origin] = kind


def _remove_lower(state: _State, path: str, *, itself: bool) -> None:
    if path not in state.files:
        return
    victims: Sequence[str] = [path, *_below(state, path)] if itself else _below(state, path)
    for victim in victims:
        if victim in state.files and victim not in state.touched:
            _remove(state, victim, "deleted", spare=None)
