"""The worked example of docs/accounting.md: three small layers in which every class of bytes occurs.

    python3 -m examples.three_layers LAYOUT

Then: deadweight analyze oci:LAYOUT
"""

from __future__ import annotations

import sys
import tarfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from examples.debian_image import Layout, digest_of


@dataclass(frozen=True)
class Item:
    """A file of `size` bytes, all `fill`; with `link` instead a link of `kind`."""

    path: str
    size: int = 0
    fill: str = "."
    mode: int = 0o644
    kind: bytes = tarfile.REGTYPE
    link: str = ""


LAYERS = (
    (
        Item("etc/app.conf", 100, "a"),
        Item("usr/lib/big.so", 5_000, "b"),
        Item("usr/lib/big.so.1", kind=tarfile.LNKTYPE, link="usr/lib/big.so"),
        Item("lib", kind=tarfile.SYMTYPE, link="usr/lib"),
        Item("usr/share/doc/one", 300, "c"),
        Item("usr/share/doc/two", 700, "d"),
        Item("opt/tool", 2_000, "e"),
    ),
    (
        Item("etc/app.conf", 150, "A"),
        Item("opt/tool", 2_000, "e", mode=0o755),
        Item("usr/share/.wh.doc"),
        Item("var/cache/x", 4_000, "x"),
        Item("srv/note", 60, "n"),
        Item("srv/note", 90, "N"),
    ),
    (
        Item("var/cache/.wh.x"),
        Item("lib/big.so", 5_500, "B"),
        Item("srv/tool", 2_000, "e", mode=0o755),
    ),
)
HISTORY = ("the base", "RUN chmod +x /opt/tool && ...", "RUN rm /var/cache/x && ...")


def write_tar(items: tuple[Item, ...], target: Path) -> None:
    with tarfile.open(target, "w") as archive:
        for item in items:
            entry = tarfile.TarInfo(item.path)
            entry.size, entry.mode, entry.type, entry.linkname = item.size, item.mode, item.kind, item.link
            archive.addfile(entry, BytesIO(item.fill.encode() * item.size))


def main() -> None:
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    layout = Layout(Path(sys.argv[1]), "gzip")
    diff_ids = []
    for number, items in enumerate(LAYERS):
        plain = layout.path / f"{number}.tar"
        write_tar(items, plain)
        diff_ids.append(digest_of(plain))
        layout.add_layer(plain)
        plain.unlink()
    layout.finish({
        "architecture": "amd64",
        "os": "linux",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
        "history": [{"created_by": line} for line in HISTORY],
    })  # fmt: skip


if __name__ == "__main__":
    main()
