"""The images that are measured: two from Debian packages, and made-up ones that grow in one respect only."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import ParamSpec, TypeVar

from benchmarks.inflate import blob, layers
from examples.debian_image import Layout, digest_of

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "bench"
COMPRESSIONS = ("gzip", "zstd")


P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class Input:
    """An image in an OCI layout. `wire` and `unpacked` are bytes: of the layer blobs, and of the files in them."""

    path: Path
    layers: int
    files: int
    unpacked: int
    wire: int

    @property
    def reference(self) -> str:
        return f"oci:{self.path}:latest"


def debian(size: str) -> dict[str, Input]:
    """The image of the recipe `size`, by compression. Built once, and then kept."""
    targets = {compression: CACHE / f"{size}-{compression}" for compression in COMPRESSIONS}
    if not all((target / "index.json").exists() for target in targets.values()):
        print(f"building the {size} image from Debian packages", file=sys.stderr)
        recipe = Path(__file__).with_name(f"{size}.toml")
        arguments = [f"{target}:{compression}" for compression, target in targets.items()]
        command = [sys.executable, "-m", "examples.debian_image", str(recipe), *arguments]
        subprocess.run(command, cwd=ROOT, check=True)
    counted = count(targets["gzip"])
    return {compression: described(target, *counted) for compression, target in targets.items()}


def docker_archive(image: Input) -> Path:
    """The same image as `docker save` writes it, for those who read nothing else."""
    target = image.path.with_suffix(".tar")
    if not target.exists():
        command = ["skopeo", "--insecure-policy", "copy", "--quiet", image.reference]
        subprocess.run([*command, f"docker-archive:{target}:bench/{image.path.name}:latest"], check=True)
    return target


def made_up(files: int, size: int) -> Input:
    """One gzip layer of `files` files of `size` bytes each."""
    target = CACHE / f"made-up-{files}x{size}"
    if not (target / "index.json").exists():
        _aside(_make_up, target, files, size)
    return described(target, *count(target))


def _make_up(target: Path, files: int, size: int) -> None:
    building = target.with_suffix(".building")
    shutil.rmtree(building, ignore_errors=True)
    layout = Layout(building, "gzip")
    plain = building / "layer.tar"
    with tarfile.open(plain, "w") as archive:
        for number in range(files):
            entry = tarfile.TarInfo(f"usr/share/made-up/{number // 100:05d}/{number:08d}.txt")
            entry.size = size
            archive.addfile(entry, BytesIO(_content(number, size)))
    diff_id = digest_of(plain)
    layout.add_layer(plain)
    plain.unlink()
    layout.finish({
        "architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": [diff_id]},
    })  # fmt: skip
    building.rename(target)


def _aside(function: Callable[P, R], *arguments: P.args, **names: P.kwargs) -> R:
    """`function` in a process of its own: memory that this one held at its peak shows in all that it starts later."""
    with ProcessPoolExecutor(1) as pool:
        return pool.submit(function, *arguments, **names).result()


def _content(number: int, size: int) -> bytes:
    line = b"".join(b"%d %d\n" % (number, n * n) for n in range(min(size, 4096) // 8 + 1))
    return (line * (size // len(line) + 1))[:size]


def described(path: Path, files: int, unpacked: int) -> Input:
    descriptors = layers(path)
    return Input(path, len(descriptors), files, unpacked, sum(layer["size"] for layer in descriptors))


def count(layout: Path) -> tuple[int, int]:
    """Files and their bytes in all layers of a layout of gzip layers, counted once with `tarfile`."""
    kept = layout.with_suffix(".json")
    if not kept.exists() or kept.stat().st_mtime < (layout / "index.json").stat().st_mtime:
        kept.write_text(json.dumps(_aside(_count, layout)))
    files, unpacked = json.loads(kept.read_text())
    return files, unpacked


def _count(layout: Path) -> tuple[int, int]:
    sizes = [size for layer in layers(layout) for size in _sizes(blob(layout, layer))]
    return len(sizes), sum(sizes)


def _sizes(layer: Path) -> Iterator[int]:
    with tarfile.open(layer, "r|*") as archive:
        for member in archive:
            if member.isreg():
                yield member.size
