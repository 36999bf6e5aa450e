"""A layered image from Debian packages, without Docker: a recipe of RUN lines becomes an OCI image layout.

    python3 -m examples.debian_image RECIPE.toml LAYOUT[:gzip|:zstd|:uncompressed]...

mmdebstrap makes the base system and runs each line of the recipe in it, as root or as an ordinary user. After
each line the file system is kept as a tar file, and what differs from the one before becomes a layer, whiteouts
included. Nothing of deadweight is used here: this is what deadweight is tried on.
"""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

BLOCK = 1 << 20
EPOCH = int(os.environ.get("SOURCE_DATE_EPOCH", time.time()))
COMPRESSORS = {
    "gzip": ("gzip", "-6", "-n", "-c"),
    "zstd": ("zstd", "-3", "-q", "-c"),
    "uncompressed": ("cat",),
}
MEDIA_TYPE = "application/vnd.oci.image.layer.v1.tar"
SUFFIXES = {"gzip": "+gzip", "zstd": "+zstd", "uncompressed": ""}
SNAPSHOT = "/.snapshot"
NOT_KEPT = (
    "dev/*",
    "proc/*",
    "sys/*",
    "run/*",
    "tmp/*",
    ".snapshot",
    "usr/sbin/policy-rc.d",
    "*/00mmdebstrap",
)
"""What belongs to the running system or to mmdebstrap, not to the image."""


@dataclass(frozen=True)
class Step:
    """One layer: the command that makes it, and what its history entry says."""

    run: str
    instruction: str


@dataclass(frozen=True)
class Recipe:
    suite: str
    mirror: str
    config: dict[str, Any]
    steps: list[Step]


def read_recipe(path: Path) -> Recipe:
    """The recipe in a TOML file; $SUITE and $MIRROR, if set, choose another release or mirror."""
    data = tomllib.loads(path.read_text())
    steps = [Step(layer["run"], layer.get("instruction") or f"RUN {layer['run']}") for layer in data["layer"]]
    suite = os.environ.get("SUITE") or data.get("suite") or this_release()
    return Recipe(suite, os.environ.get("MIRROR", ""), data.get("config", {}), steps)


def this_release() -> str:
    """The code name of the release that this machine runs."""
    lines = Path("/etc/os-release").read_text().splitlines()
    fields = dict(line.split("=", 1) for line in lines if "=" in line)
    return (fields.get("UBUNTU_CODENAME") or fields.get("VERSION_CODENAME") or "stable").strip('"')


def tar_command(target: str, root: str) -> str:
    """The shell line that keeps the file system in `root` as the tar file `target`."""
    # tar exits with 1 where a file changed while it was read: /sys does.
    exclude = " ".join(f"--exclude={shlex.quote('./' + path)}" for path in NOT_KEPT)
    options = "--format=pax --sort=name --numeric-owner --xattrs"
    return f"tar --create --file={shlex.quote(target)} {options} {exclude} -C {shlex.quote(root)} . || test $? = 1"


def take_snapshots(recipe: Recipe, folder: Path) -> list[Path]:
    """Runs the recipe; returns the file system after each step, as a tar file in `folder`."""
    tar = tar_command(SNAPSHOT, "/")
    command = ["mmdebstrap", "--variant=minbase", "--quiet", "--skip=chroot/start-stop-daemon"]
    snapshots = []
    for number, step in enumerate(recipe.steps):
        snapshots.append(folder / f"{number}.tar")
        command += [
            f'--customize-hook=chroot "$1" sh -ec {shlex.quote(step.run)} >&2',
            f'--customize-hook=chroot "$1" sh -ec {shlex.quote(tar)}',
            f"--customize-hook=download {SNAPSHOT} {shlex.quote(str(snapshots[-1]))}",
            f'--customize-hook=rm "$1"{SNAPSHOT}',
        ]
    command += [recipe.suite, "/dev/null", *([recipe.mirror] if recipe.mirror else [])]
    log = folder / "log"
    environment = {
        **os.environ,
        "SOURCE_DATE_EPOCH": str(EPOCH),
        "DEBIAN_FRONTEND": "noninteractive",
        "LC_ALL": "C",
    }
    with log.open("wb") as output:
        done = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False
        )
    if done.returncode:
        sys.stderr.write("".join(log.read_text(errors="replace").splitlines(keepends=True)[-15:]))
        raise SystemExit(f"mmdebstrap could not build {recipe.suite} (its last words are above)")
    return snapshots


Signature = tuple[object, ...]


def signatures(snapshot: Path) -> dict[str, Signature]:
    """Path -> what makes an entry the same as before. Times do not count."""
    found: dict[str, Signature] = {}
    with tarfile.open(snapshot) as archive:
        for member in archive:
            if member.islnk():
                found[member.name] = (tarfile.LNKTYPE, member.linkname, found[member.linkname])
                continue
            content = archive.extractfile(member) if member.isreg() else None
            digest = sha256(content) if content else ""
            attributes = tuple(
                sorted(item for item in member.pax_headers.items() if item[0].startswith("SCHILY.xattr"))
            )
            found[member.name] = (
                member.type, member.mode, member.uid, member.gid, member.linkname, digest, attributes,
            )  # fmt: skip
    return found


def write_layer(
    lower: dict[str, Signature], upper: dict[str, Signature], snapshot: Path, target: Path
) -> None:
    """Writes to `target` the tar layer that turns `lower` into `upper`, whose content is in `snapshot`."""
    changed = changed_paths(lower, upper)
    with tarfile.open(snapshot) as archive, tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as layer:
        for path in whiteouts(lower, upper):
            entry = tarfile.TarInfo(path)
            entry.mtime = EPOCH
            layer.addfile(entry)
        for member in archive:
            if member.name in changed:
                content = archive.extractfile(member) if member.isreg() else None
                layer.addfile(clean(member), content)


def changed_paths(lower: dict[str, Signature], upper: dict[str, Signature]) -> set[str]:
    """The entries that a layer must hold; of hard links to one file all, or none."""
    names: dict[str, list[str]] = defaultdict(list)
    for path, signature in upper.items():
        names[str(signature[1]) if signature[0] == tarfile.LNKTYPE else path].append(path)
    return {
        path
        for group in names.values()
        if any(lower.get(one) != upper[one] for one in group)
        for path in group
    }


def whiteouts(lower: dict[str, Signature], upper: dict[str, Signature]) -> Iterator[str]:
    """The whiteout entries for what is gone, one for a whole directory."""
    for path in sorted(lower.keys() - upper.keys()):
        parent, _, name = path.rpartition("/")
        if parent in upper and upper[parent][0] == tarfile.DIRTYPE:
            yield f"{parent}/.wh.{name}"


def clean(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """`member` without what varies from run to run: sub-second times, and any time after the build began."""
    member.mtime = int(min(member.mtime, EPOCH))
    member.pax_headers = {
        key: value for key, value in member.pax_headers.items() if key.startswith("SCHILY.xattr")
    }
    return member


@dataclass
class Layout:
    """An OCI image layout that is being written."""

    path: Path
    compression: str
    layers: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        (self.path / "blobs" / "sha256").mkdir(parents=True)

    def add_layer(self, plain: Path) -> None:
        """Compresses and stores a layer's tar file."""
        packed = plain.with_suffix(".packed")
        with packed.open("wb") as output:
            subprocess.run([*COMPRESSORS[self.compression], str(plain)], stdout=output, check=True)
        self.layers.append(self.store(packed, MEDIA_TYPE + SUFFIXES[self.compression]))

    def store(self, path: Path, media_type: str) -> dict[str, Any]:
        """Moves `path` in among the blobs; returns its descriptor."""
        digest, size = digest_of(path), path.stat().st_size
        path.rename(self.path / "blobs" / "sha256" / digest.removeprefix("sha256:"))
        return {"mediaType": media_type, "digest": digest, "size": size}

    def store_json(self, document: object, media_type: str) -> dict[str, Any]:
        path = self.path / "document"
        path.write_text(json.dumps(document, sort_keys=True, separators=(",", ":")))
        return self.store(path, media_type)

    def finish(self, config: dict[str, Any]) -> None:
        """Writes everything but the layers."""
        manifest = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": self.store_json(config, "application/vnd.oci.image.config.v1+json"),
            "layers": self.layers,
        }
        named = self.store_json(manifest, "application/vnd.oci.image.manifest.v1+json")
        named["annotations"] = {"org.opencontainers.image.ref.name": "latest"}
        (self.path / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [named]}))
        (self.path / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')


def sha256(content: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while block := content.read(BLOCK):
        digest.update(block)
    return "sha256:" + digest.hexdigest()


def digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return sha256(file)


def write_layers(snapshots: list[Path], layouts: list[Layout]) -> list[str]:
    """Puts the difference of each snapshot to the one before into every layout; returns the diff IDs."""
    diff_ids: list[str] = []
    lower: dict[str, Signature] = {}
    for snapshot in snapshots:
        upper = signatures(snapshot)
        plain = snapshot.with_suffix(".layer")
        write_layer(lower, upper, snapshot, plain)
        snapshot.unlink()
        diff_ids.append(digest_of(plain))
        for layout in layouts:
            layout.add_layer(plain)
        plain.unlink()
        lower = upper
    return diff_ids


def image_config(recipe: Recipe, diff_ids: list[str]) -> dict[str, Any]:
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(EPOCH))
    machine = os.uname().machine
    return {
        "architecture": {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine),
        "os": "linux",
        "created": created,
        "config": recipe.config,
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
        "history": [{"created": created, "created_by": step.instruction} for step in recipe.steps],
    }


def build(recipe: Recipe, targets: dict[Path, str]) -> None:
    """Builds the image once and writes it to each target, in the compression that is named there."""
    parent = next(iter(targets)).parent
    parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=parent, prefix=".building-") as name:
        folder = Path(name)
        layouts = [Layout(folder / target.name, compression) for target, compression in targets.items()]
        config = image_config(recipe, write_layers(take_snapshots(recipe, folder), layouts))
        for layout, target in zip(layouts, targets, strict=True):
            layout.finish(config)
            shutil.rmtree(target, ignore_errors=True)
            layout.path.rename(target)


def main() -> None:
    targets = {}
    for argument in sys.argv[2:]:
        path, _, compression = argument.partition(":")
        targets[Path(path).absolute()] = compression or "gzip"
    if not targets or not set(targets.values()) <= COMPRESSORS.keys():
        raise SystemExit(__doc__)
    build(read_recipe(Path(sys.argv[1])), targets)


if __name__ == "__main__":
    main()
