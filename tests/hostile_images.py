"""Images that nobody should trust, made with the standard library, and the command line run on them under watch."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.images import OCI, Blob

MAX_RSS = 200 << 20
"""Bytes of memory that no image may make us use."""
PATIENCE = 240
"""Seconds after which a run counts as endless, however slow the machine."""
END = bytes(1024)


@dataclass(frozen=True)
class Run:
    """What one run of the command line did."""

    code: int
    out: str
    err: str
    rss: int
    """Peak memory in bytes."""


def run(*arguments: str | Path, cwd: Path) -> Run:
    """Runs ``deadweight`` to its end, in the folder `cwd`, which also gets its cache and what it prints."""
    return finish(start(*arguments, cwd=cwd), cwd)


def start(
    *arguments: str | Path,
    cwd: Path,
    prefix: Sequence[str] = (),
    stdout: Path | None = None,
    limits: Sequence[tuple[int, int]] = (),
) -> subprocess.Popen[bytes]:
    """Starts ``deadweight``, behind the program `prefix` if there is one; `finish` waits for it."""

    def prepare() -> None:
        import resource

        # Who started the tests may have had interrupts ignored.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for limit, value in limits:
            resource.setrlimit(limit, (value, value))

    work = cwd / "run"
    (work / "tmp").mkdir(parents=True, exist_ok=True)
    env = {**os.environ, "XDG_CACHE_HOME": str(work / "cache"), "TMPDIR": str(work / "tmp")}
    command = [*prefix, sys.executable, "-m", "deadweight", *map(str, arguments)]
    with (stdout or work / "out").open("wb") as out, (work / "err").open("wb") as err:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=cwd, env=env, preexec_fn=prepare
        )


def finish(process: subprocess.Popen[bytes], cwd: Path) -> Run:
    """Waits for what `start` started. Fails where it does not end."""
    deadline = time.monotonic() + PATIENCE
    peak = 0
    while True:
        peak = max(peak, _peak_memory(process.pid))
        pid, status, _ = os.wait4(process.pid, os.WNOHANG)
        if pid:
            break
        if time.monotonic() > deadline:
            process.kill()
            process.wait()
            raise AssertionError(f"did not end within {PATIENCE} seconds")
        time.sleep(0.02)
    process.returncode = os.waitstatus_to_exitcode(status)
    out, err = ((cwd / "run" / name).read_bytes().decode("utf-8", "replace") for name in ("out", "err"))
    return Run(process.returncode, out, err, peak)


def _peak_memory(pid: int) -> int:
    """The peak so far of a process that has become ours: before, it is a copy of the one that runs the tests.

    `ru_maxrss` is of no use here: it keeps the size of that copy.
    """
    try:
        if b"deadweight" not in Path(f"/proc/{pid}/cmdline").read_bytes():
            return 0
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


def refused(done: Run, *words: str) -> None:
    """Asserts that `done` ended with exit code 2 and one clear line that has all of `words`, within bounds."""
    assert done.code == 2, done
    one_line(done)
    assert done.out == ""
    for word in words:
        assert word in done.err, done.err


def one_line(done: Run) -> None:
    """Asserts one line on standard error, without control characters, and bounded memory."""
    assert done.err.startswith("deadweight: "), done.err
    assert done.err.endswith("\n")
    assert done.err[:-1].isprintable(), done.err
    assert len(done.err) < 1500
    assert done.rss < MAX_RSS


def leftovers(folder: Path) -> list[str]:
    """What a run left in its folder for temporary files, or staged beside a destination."""
    return [str(path) for path in (folder / "run" / "tmp").iterdir()] + [
        str(path) for path in folder.rglob(".deadweight*")
    ]


@dataclass(frozen=True)
class Layer:
    """A layer as an image describes it, which need not be true."""

    data: bytes
    media_type: str = f"{OCI}layer.v1.tar"
    digest: str = ""
    size: int = -1
    diff_id: str = ""

    def descriptor(self) -> dict[str, Any]:
        size = len(self.data) if self.size < 0 else self.size
        return {"mediaType": self.media_type, "digest": self.stated, "size": size}

    @property
    def stated(self) -> str:
        return self.digest or sha256(self.data)


def layout(folder: Path, *layers: Layer, config: dict[str, Any] | None = None) -> str:
    """An OCI layout of one image; its reference. `config` replaces fields of the config."""
    value = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Cmd": ["/app"]},
        "rootfs": {"type": "layers", "diff_ids": [layer.diff_id or layer.stated for layer in layers]},
        **(config or {}),
    }
    return layout_of(folder, [layer.descriptor() for layer in layers], dumps(value), layers)


def layout_of(
    folder: Path, descriptors: Sequence[dict[str, Any]], config: bytes, layers: Sequence[Layer] = ()
) -> str:
    """The same with any descriptors and any bytes for a config."""
    blob = Blob(f"{OCI}config.v1+json", config)
    manifest = dumps({"schemaVersion": 2, "config": blob.descriptor(), "layers": list(descriptors)})
    for layer in layers:
        put(folder, layer.stated, layer.data)
    put(folder, blob.digest, config)
    return layout_with(folder, manifest)


def layout_with(folder: Path, manifest: bytes, media_type: str = f"{OCI}manifest.v1+json") -> str:
    """The same with any bytes for a manifest, which are described as they are."""
    put(folder, sha256(manifest), manifest)
    entry = {"mediaType": media_type, "digest": sha256(manifest), "size": len(manifest)}
    write_index(folder, dumps({"schemaVersion": 2, "manifests": [entry]}))
    return f"oci:{folder}"


def write_index(folder: Path, index: bytes) -> str:
    """The layout in `folder` with any bytes for index.json."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    (folder / "index.json").write_bytes(index)
    return f"oci:{folder}"


def put(folder: Path, digest: str, data: bytes) -> None:
    """A blob of a layout, under any digest."""
    path = blob_path(folder, digest)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def blob_path(folder: Path, digest: str) -> Path:
    return folder / "blobs" / digest.replace(":", "/")


def sha256(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def dumps(value: object) -> bytes:
    return json.dumps(value).encode()


def entry(
    name: bytes, content: bytes = b"", *, kind: bytes = b"0", link: bytes = b"", size: bytes | None = None
) -> bytes:
    """A tar entry whose header says what it is told to, with a right checksum."""
    block = struct.pack(
        "100s8s8s8s12s12s8sc100s8s247x",
        name, b"0000644", b"0000000", b"0000000", b"%011o" % len(content) if size is None else size, b"00000000000",
        b" " * 8, kind, link, b"ustar\x0000",
    )  # fmt: skip
    block = block[:148] + b"%06o\0 " % sum(block) + block[156:]
    return block + content + bytes(-len(content) % 512)


def pax(kind: bytes = b"x", **records: str) -> bytes:
    """A pax extended header."""
    data = b""
    for keyword, value in records.items():
        body = f" {keyword.replace('__', '.')}={value}\n".encode()
        length = len(body) + 1
        while len(str(length)) + len(body) != length:
            length += 1
        data += str(length).encode() + body
    return entry(b"pax", data, kind=kind)
