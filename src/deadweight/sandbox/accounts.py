"""The user of a config, looked up in the image's own accounts (passwd(5), group(5))."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from deadweight.errors import NotFound
from deadweight.image import Image
from deadweight.layer.extract import read_content
from deadweight.tree.node import LinkLoop, Tree

MAX_FILE = 4 << 20
"""The most bytes of a file of accounts that are read."""
MAX_ID = 65535
"""The highest number that a user or group has in a sandbox."""


@dataclass(frozen=True, slots=True)
class Account:
    """Who a program runs as. `home` is empty where the accounts do not say."""

    uid: int
    gid: int
    groups: tuple[int, ...] = ()
    home: str = ""


@dataclass(frozen=True, slots=True)
class Accounts:
    """The lines of an image's passwd and group, each split at its colons."""

    users: tuple[tuple[str, ...], ...]
    groups: tuple[tuple[str, ...], ...]

    def find(self, user: str) -> Account:
        """The account that `user` names (OCI image-spec, config.md, "User"). Raises `NotFound`."""
        name, colon, group = (user or "0").partition(":")
        line = next((line for line in self.users if name in (line[0], line[2])), None)
        uid = self._number(line[2] if line is not None else name, "user", name)
        gid = self._number(line[3] if line is not None else "0", "group", name)
        more: tuple[int, ...] = ()
        if colon:
            of_group = next((line for line in self.groups if group in (line[0], line[2])), None)
            gid = self._number(of_group[2] if of_group is not None else group, "group", group)
        elif line is not None:
            more = tuple(
                int(one[2]) for one in self.groups if line[0] in one[3].split(",") and one[2].isdigit()
            )
        return Account(uid, gid, (gid, *more), line[5] if line is not None else "")

    @staticmethod
    def _number(text: str, kind: str, name: str) -> int:
        if not (text.isascii() and text.isdigit()):
            raise NotFound(f"the {kind} {name!r}", "is not in the image's accounts")
        if int(text) > MAX_ID:
            raise NotFound(f"the {kind} {name!r}", f"has the number {text}; a sandbox has those to {MAX_ID}")
        return int(text)


def accounts_of(image: Image, tree: Tree) -> Accounts:
    """The accounts of `image`, whose merged file system is `tree`; lines that are broken are left out."""
    users = tuple(line for line in _lines(image, tree, "etc/passwd") if len(line) >= 7)
    groups = tuple(line for line in _lines(image, tree, "etc/group") if len(line) >= 4)
    return Accounts(users, groups)


def _lines(image: Image, tree: Tree, path: str) -> Iterator[tuple[str, ...]]:
    try:
        node = tree.resolve(path)
    except LinkLoop:
        return
    if node is None or not node.is_file or node.entry.size > MAX_FILE:
        return
    layer = image.layers[node.layer]
    with image.open_layer(layer) as stream:
        content = b"".join(read_content(stream, layer.descriptor, node.entry))
    for line in content.decode("utf-8", "surrogateescape").splitlines():
        yield tuple(line.split(":"))
