"""Images of nothing but a static busybox, for tests that run them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from conftest import require, require_program
from image_samples import debian_layer, dpkg_package, write_layout
from layer_stacks import Item

TOOLS = (
    "sh", "cat", "date", "dd", "echo", "env", "head", "httpd", "id", "kill", "ls", "nc", "pwd", "sleep", "test", "touch", "tr", "true",
)  # fmt: skip
PASSWD = b"root:x:0:0::/root:/bin/sh\nweb:x:33:34::/srv:/bin/sh\n"


def busybox_image(folder: Path, config: Mapping[str, Any], items: Sequence[Item] = ()) -> str:
    """An image in `folder` with busybox's tools, the user web, and `items`; the reference of it."""
    return write_layout(folder, [busybox_layer(), list(items)], config=config, compress=False)


def busybox_layer() -> list[Item]:
    """A layer with busybox's tools and the user web."""
    require_program("bwrap")
    require(Path("/usr/share/doc/busybox-static").exists(), "a static busybox (the package busybox-static)")
    program = Path(require_program("busybox")).read_bytes()
    return [
        Item("bin/busybox", "f", program, mode=0o755),
        *(Item(f"bin/{name}", "l", link="/bin/busybox") for name in TOOLS),
        Item("etc/passwd", "f", PASSWD),
        Item("tmp", "d", mode=0o1777),
        Item("srv", "d"),
    ]


def page_server(folder: Path, *, env: Sequence[str] = ()) -> str:
    """A server with one page, and a package that it does not need; the reference of it."""
    packages = debian_layer(dpkg_package("tool", "1", {"usr/share/tool/data": b"nobody" * 5000}))
    config = {
        "Cmd": ["httpd", "-f", "-p", "8080", "-h", "/srv"],
        "ExposedPorts": {"8080/tcp": {}},
        "StopSignal": "SIGKILL",
        "Env": [*env],
    }
    layers = [[*busybox_layer(), *packages], [Item("srv/page", "f", b"hello\n")]]
    return write_layout(folder, layers, config=config)
