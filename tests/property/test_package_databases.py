"""Package databases rewritten for random losses: the inventory of what is left has just what it should."""

from __future__ import annotations

import json

from hypothesis import event, given, settings
from hypothesis import strategies as st

from deadweight.inventory.model import Inventory
from deadweight.inventory.reader import Facts
from deadweight.inventory.readers import READERS
from deadweight.inventory.take import take_inventory
from deadweight.passes.databases.rewrite import database_files, rewritten
from deadweight.tree.merge import Merged, merge
from filtered_images import left_of
from language_samples import Files, index, layer_tar

DPKG = "var/lib/dpkg"
SITE = "usr/lib/python3/dist-packages"
DEBIAN = {
    "shell": ("bin/sh", "usr/bin/shell", "usr/share/doc/shell/copyright"),
    "docs": ("usr/share/doc/docs/index.html", "usr/share/doc/docs/copyright"),
    "python3-mod": (f"/{SITE}/mod.py", f"/{SITE}/mod-1.egg-info", "usr/share/doc/mod/copyright"),
    "libc": ("lib/libc.so", "etc/libc.conf"),
    "none": (),
}
ALPINE = {"musl": ("lib/ld.so", "lib/libm.so"), "tools": ("usr/bin/ls", "usr/bin/cp")}


def whole() -> dict[str, bytes | str]:
    """A system with the packages of everybody, and links where folders were merged."""
    files: dict[str, bytes | str] = {"bin": "-> usr/bin", "lib": "-> usr/lib"}
    status = ""
    for name, paths in DEBIAN.items():
        status += f"Package: {name}\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n"
        status += "Conffiles:\n /etc/libc.conf 0\n\n" if name == "libc" else "\n"
        files[f"{DPKG}/info/{name}.list"] = "/.\n" + "".join(f"/{path.lstrip('/')}\n" for path in paths)
        files[f"{DPKG}/info/{name}.md5sums"] = "".join(f"{'0' * 32}  {path.lstrip('/')}\n" for path in paths)
        files |= {real(path): path for path in paths}
    files[f"{DPKG}/status"] = status
    files[f"{SITE}/mod-1.egg-info"] = "Name: mod\nVersion: 1\n\n"
    installed = ""
    for name, paths in ALPINE.items():
        installed += f"C:Q1{name}=\nP:{name}\nV:1\nA:x86_64\n"
        for path in paths:
            folder, _, base = path.rpartition("/")
            installed += f"F:{folder}\nR:{base}\nZ:Q1x=\n"
            files[real(path)] = path
        installed += "\n"
    files["usr/lib/apk/db/installed"] = installed
    files["etc/apk/world"] = "musl\ntools\n"
    files[f"{SITE}/pip.py"] = "1"
    files[f"{SITE}/pip_data/x"] = "1"
    files[f"{SITE}/pip-1.dist-info/METADATA"] = "Name: pip\nVersion: 1\n\n"
    files[f"{SITE}/pip-1.dist-info/RECORD"] = (
        "pip.py,,\npip_data/x,,\npip-1.dist-info/METADATA,,\npip-1.dist-info/RECORD,,\n"
    )
    listed = {f"node_modules/{name}": {"version": "1"} for name in ("a", "b")}
    files["app/node_modules/.package-lock.json"] = json.dumps({"packages": listed}, indent=2)
    for name in ("a", "b"):
        files[f"app/node_modules/{name}/package.json"] = json.dumps({"name": name, "version": "1"})
        files[f"app/node_modules/{name}/index.js"] = "1"
    return files


def real(path: str) -> str:
    path = path.lstrip("/")
    return f"usr/{path}" if path.startswith(("bin/", "lib/")) else path


WHOLE = whole()
LOSSES = sorted(path for path in WHOLE if not path.startswith((DPKG, "usr/lib/apk", "etc/apk")))


def taken(files: Files) -> tuple[Merged, Inventory]:
    indexes = [index(layer_tar(files), READERS)]
    merged = merge(indexes)
    return merged, take_inventory(merged.tree, Facts(merged.tree, indexes))


@settings(max_examples=150, deadline=None)
@given(
    st.one_of(st.sets(st.sampled_from(LOSSES)), st.sets(st.sampled_from(LOSSES), min_size=len(LOSSES) - 9))
)
def test_the_inventory_of_what_is_left_has_what_is_left(losses: set[str]) -> None:
    # Whoever keeps a file of a package of npm keeps its package.json.
    losses = losses - {f"app/node_modules/{name}/package.json" for name in ("a", "b")} | {
        path.replace("index.js", "package.json") for path in losses if path.endswith("index.js")
    }
    merged, inventory = taken(WHOLE)
    read = {}
    for node in database_files(merged.tree, inventory):
        content = WHOLE[node.path]
        read[node.path] = content.encode() if isinstance(content, str) else content
    new = rewritten(merged, inventory, lambda node: node.path not in losses, read)
    left = {
        path: new.replaced.get(path, content)
        for path, content in WHOLE.items()
        if (there := merged.tree.find(path)) is not None and new.kept(there)
    }
    tree, found = taken(left)
    expected = left_of(inventory, {path for path, _ in tree.tree.walk()})
    event(f"{len(expected)} packages are left")
    assert found.problems == ()
    assert [package.label for package in found.packages] == [package.label for package in expected]
    assert [package.paths for package in found.packages] == [package.paths for package in expected]
    for path, content in left.items():
        if path.endswith(".list") and isinstance(content, bytes):
            assert all(tree.tree.find(line) is not None for line in content.decode().split("\n")), path
    again = rewritten(
        tree, found, lambda node: True, {path: read_again(left, path) for path in listed_in(tree, found)}
    )
    assert again.replaced == {}
    assert all(again.kept(node) for _, node in tree.tree.walk())


def listed_in(merged: Merged, inventory: Inventory) -> list[str]:
    return [node.path for node in database_files(merged.tree, inventory)]


def read_again(files: Files, path: str) -> bytes:
    content = files[path]
    return content.encode() if isinstance(content, str) else content
