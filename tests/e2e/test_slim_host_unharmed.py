"""`deadweight slim` of images that reach for the host, or for all that a machine has: it ends in time, and the host is as before."""

from __future__ import annotations

import json
import os
import pwd
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from busybox_images import busybox_layer
from conftest import require, require_program
from deadweight.image import open_image
from deadweight.indexing import index_image
from deadweight.tree.merge import merge
from image_samples import write_layout
from layer_stacks import Item
from left_behind import MARK, host, left_since
from services.account import ordinary_user, python_as

SERVE = "exec httpd -f -p 8080 -h /srv"
PAGE = ("--probe", "http:GET /page")
PLACES = (Path("/tmp"), Path("/dev/shm"))
LIMIT = 150
"""The most seconds that slim takes, or a test fails: it would hang."""

pytestmark = pytest.mark.timeout(300)


@dataclass(frozen=True)
class Done:
    """What slim said and wrote, and what it left on the host."""

    code: int
    output: str
    errors: str
    written: frozenset[str] | None
    """The paths of the result, all but directories; None where nothing was written."""
    left: Sequence[str]

    def refused(self, *told: str) -> None:
        """It could not be done, one line says why, and nothing is there of it."""
        assert (self.code, self.output, self.written, self.left) == (2, "", None, []), self.errors
        assert self.errors.startswith("deadweight: error: ")
        assert self.errors.count("\n") == 1
        for text in told:
            assert text in self.errors

    def document(self) -> dict[str, Any]:
        """What came of it; nothing is left but the result."""
        assert (self.code, self.errors, self.left) == (0, "", []), self.errors
        assert self.written is not None
        assert "bin/busybox" in self.written
        document: dict[str, Any] = json.loads(self.output)
        return document


class Attacked:
    """A host with files that everybody may read and write, and nobody shall."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mark = uuid.uuid4().hex
        self.treasure = folder / "treasure"
        (self.treasure / "below").mkdir(parents=True)
        (self.treasure / "page").write_text("of the host\n")
        (self.treasure / "passwd").write_text("web:x:44:44::/:/bin/sh\n")
        (self.treasure / "below" / "file").write_bytes(b"x" * 100)
        (self.treasure / "link").symlink_to("page")
        for path in (self.treasure, self.treasure / "below"):
            path.chmod(0o777)
        for path in self.treasure.rglob("*"):
            if path.is_file():
                path.chmod(0o666)
        self._before = host(*PLACES)
        self._treasure = state_of(self.treasure)

    def image(self, layers: Sequence[Sequence[Item]], config: Mapping[str, Any], **more: Any) -> str:
        """The reference of an image that has busybox, a page and `layers`."""
        own = {item.path for layer in layers for item in layer}
        base = [
            item for item in (*busybox_layer(), Item("srv/page", "f", b"hello\n")) if item.path not in own
        ]
        variables = [f"{MARK}={self.mark}", "PATH=/bin"]
        usual = {"ExposedPorts": {"8080/tcp": {}}, "StopSignal": "SIGKILL", "Env": variables}
        return write_layout(self.folder / "image", [base, *layers], config={**usual, **config}, **more)

    def slim(self, reference: str, *arguments: str) -> Done:
        """Slims it; the treasure is as before."""
        target = self.folder / "small"
        argv = [sys.executable, "-m", "deadweight", "slim", reference, "--to", f"oci:{target}"]
        variables = {**os.environ, MARK: self.mark}
        variables.pop("TMPDIR", None)
        done = subprocess.run(
            [*argv, "--json", "-", *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=LIMIT,
            env=variables,
        )
        left = left_since(self._before, self.mark, *PLACES)
        assert state_of(self.treasure) == self._treasure
        written = paths_of(f"oci:{target}") if target.exists() else None
        return Done(done.returncode, done.stdout, done.stderr, written, left)

    def run(
        self, script: str, items: Sequence[Item] = (), *arguments: str, timeout: int = 6, **config: Any
    ) -> Done:
        """Slims an image that runs `script` in a shell."""
        reference = self.image([items], {"Cmd": ["sh", "-c", script], **config})
        return self.slim(reference, *(arguments or PAGE), "--timeout", str(timeout))


@pytest.fixture
def attacked() -> Iterator[Attacked]:
    require_program("strace")
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders are for their owner alone
        Path(name).chmod(0o755)
        yield Attacked(Path(name))


def state_of(folder: Path) -> dict[str, tuple[object, ...]]:
    """All that can be told of what is in `folder`, but for when it was read."""
    found: dict[str, tuple[object, ...]] = {}
    for path in (folder, *folder.rglob("*")):
        state = path.lstat()
        numbers = (state.st_ino, state.st_mode, state.st_uid, state.st_gid, state.st_nlink)
        content = path.read_bytes() if path.is_file() else b""
        found[str(path)] = (*numbers, state.st_mtime_ns, state.st_ctime_ns, content)
    return found


def paths_of(reference: str) -> frozenset[str]:
    with open_image(reference) as image:
        return frozenset(node.path for node in merge(index_image(image)).tree.leaves)


def free_memory() -> int:
    lines = Path("/proc/meminfo").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable:"))


def test_one_that_takes_all_memory(attacked: Attacked) -> None:
    require(free_memory() > 4 << 30, "4 GiB of free memory")
    done = attacked.run("dd if=/dev/zero of=/dev/null bs=3000M; sleep 3600", timeout=60)
    done.refused("bytes of memory", "are allowed")


def test_one_that_stops_itself(attacked: Attacked) -> None:
    attacked.run("kill -STOP $$; sleep 3600").refused("was not ready within 6 seconds (tcp:8080)")


def test_one_that_ends_and_leaves_others_to_live_on(attacked: Attacked) -> None:
    setsid = Item("bin/setsid", "l", link="busybox")
    attacked.run("setsid sleep 3600 & setsid sleep 3600 & exit 0", [setsid]).refused(
        "ended before it was ready"
    )


def test_one_that_kills_all_it_can(attacked: Attacked) -> None:
    document = attacked.run(f"kill -9 -1; {SERVE}").document()
    assert (document["level"], document["proof"]["failed"]) == ("files", 0)


def test_one_that_never_stops_killing(attacked: Attacked) -> None:
    """Commands that are asked of it die as well: what they answer is what the original does to them."""
    loop = "trap '' TERM; while :; do kill -9 -1; httpd -f -p 8080 -h /srv & sleep 0.2; done"
    done = attacked.run(loop, (), *PAGE, "--probe", "exec:sleep 3600")
    assert done.code in (0, 2)
    assert done.left == []
    assert done.errors.count("\n") == (1 if done.code else 0)


def test_one_that_writes_wherever_it_can(attacked: Attacked) -> None:
    written = f"written-{attacked.mark}"
    folders = ("mnt", "home", "opt", "root", "run", "sys", "usr/bin", "var/tmp")
    items = [
        *(Item(name, "d", mode=0o1777) for name in folders),
        Item("out", "l", link=str(attacked.treasure)),
    ]
    script = f"""
for folder in $(/bin/busybox find / -type d 2>/dev/null) /out /out/below; do
  echo x > $folder/{written}
  /bin/busybox cp /bin/busybox $folder/{written}-program && /bin/busybox chmod 4777 $folder/{written}-program
done 2>/dev/null
for file in core_uses_pid hostname; do echo 77 > /proc/sys/kernel/$file; done
echo 77 > /proc/1/oom_score_adj
{SERVE}"""
    settings = [Path("/proc/sys/kernel") / name for name in ("core_uses_pid", "hostname")]
    before = [path.read_text() for path in settings]
    document = attacked.run(script, items).document()
    assert document["level"] == "files"
    assert [path.read_text() for path in settings] == before
    top = [path for path in Path("/").iterdir() if path.is_dir() and path.name != "proc"]
    places = [Path("/"), *top, Path("/var/tmp"), Path("/dev/shm"), Path("/usr/bin"), Path.cwd()]
    assert [place for place in places for _ in place.glob(f"{written}*")] == []
    assert not list(attacked.folder.rglob(f"{written}*"))


@pytest.mark.parametrize("climb", ["", "../../../../../../.."])
def test_entries_behind_links_to_the_host(attacked: Attacked, climb: str) -> None:
    """They are where the link stands: what is written there replaces it (OCI image-spec, layer.md, "Applying Changesets")."""
    link = Item("out", "l", link=f"{climb}{attacked.treasure}")
    behind = [
        Item("out/page", "f", b"overwritten"),
        Item("out/below/file", "f", b"overwritten"),
        Item("out/new", "l", link="/etc/passwd"),
    ]
    reference = attacked.image([[link], behind], {"Cmd": ["httpd", "-f", "-p", "8080", "-h", "/"]})
    document = attacked.slim(reference, "--probe", "http:GET /out/page").document()
    assert (document["level"], document["proof"]["failed"]) == ("files", 0)


@pytest.mark.parametrize("target", ["out/page", "{treasure}/page", "../../{treasure}/page"])
def test_a_hard_link_to_what_lies_on_the_host(attacked: Attacked, target: str) -> None:
    """A layer's names are of the layer: there is nothing of that name in it (OCI image-spec, layer.md)."""
    link = Item("out", "l", link=str(attacked.treasure))
    hard = Item("srv/hard", "h", link=target.format(treasure=str(attacked.treasure).lstrip("/")))
    reference = attacked.image([[link, hard]], {"Cmd": ["sh", "-c", f"echo x > /srv/hard; {SERVE}"]})
    attacked.slim(reference, *PAGE).refused(
        "'srv/hard'", "climbs with" if ".." in target else "is a hard link to"
    )


def test_a_hard_link_to_a_link_to_the_host(attacked: Attacked) -> None:
    links = [Item("out", "l", link=f"{attacked.treasure}/page"), Item("srv/hard", "h", link="out")]
    done = attacked.run(
        f"echo x > /srv/hard; echo x > /out; {SERVE}", links, *PAGE, "--probe", "exec:cat /srv/hard"
    )
    assert done.document()["proof"]["failed"] == 0


def test_accounts_of_the_host_are_not_those_of_the_image(attacked: Attacked) -> None:
    passwd = Item("etc/passwd", "l", link=f"{attacked.treasure}/passwd")
    done = attacked.run(SERVE, [passwd], User="web")
    done.refused("the user 'web': is not in the image's accounts")


def test_the_file_with_accounts_leads_to_the_host(attacked: Attacked) -> None:
    passwd = Item("etc/passwd", "l", link=f"{attacked.treasure}/passwd")
    done = attacked.run(f"echo x >> /etc/passwd; {SERVE}", [passwd], *PAGE, "--probe", "exec:id -un")
    assert done.document()["proof"]["failed"] == 0
    assert "web" not in done.output


def test_places_of_the_sandbox_that_lead_to_the_host(attacked: Attacked) -> None:
    links = [Item(name, "l", link=str(attacked.treasure)) for name in ("proc", "dev", "sys")]
    document = attacked.run(SERVE, links).document()
    assert (document["level"], document["proof"]["probes"]) == ("packages", [])
    assert "bubblewrap under strace could not make it" in document["proof"]["why_none"]


@pytest.mark.parametrize("arguments", [(), PAGE])
def test_an_image_for_another_machine(attacked: Attacked, arguments: Sequence[str]) -> None:
    reference = attacked.image([], {"Cmd": ["sh", "-c", SERVE]}, architecture=another_architecture())
    document = attacked.slim(reference, *arguments).document()
    assert (document["level"], document["proof"]["probes"]) == ("packages", [])
    assert f"is for linux/{another_architecture()}, and this machine is" in document["proof"]["why_none"]


def test_the_files_of_an_image_for_another_machine(attacked: Attacked) -> None:
    reference = attacked.image([], {"Cmd": ["sh", "-c", SERVE]}, architecture=another_architecture())
    done = attacked.slim(reference, "--level", "files", *PAGE)
    done.refused(f"is for linux/{another_architecture()}", "take --level packages")


AS_USER = """
import sys
from deadweight import SlimRequest, slim
result = slim(sys.argv[1], sys.argv[2], SlimRequest())
print(result.attempt.level, result.attempt.proof.failed, len(result.attempt.proof.results))
"""


def test_what_belongs_to_an_ordinary_user_is_out_of_reach(attacked: Attacked) -> None:
    """Root of the namespace is that user."""
    require_program("newuidmap")
    written = f"written-{attacked.mark}"
    links = [
        Item("out", "l", link=str(attacked.treasure)),
        Item("up", "l", link=f"../../..{attacked.treasure}"),
    ]
    script = f"""
for folder in $(/bin/busybox find / -type d 2>/dev/null) /out /up /out/below /proc/1/root/{attacked.treasure}; do
  echo x > $folder/{written}; echo x >> $folder/page
done 2>/dev/null
{SERVE}"""
    reference = attacked.image([links], {"Cmd": ["sh", "-c", script]})
    with ordinary_user() as name:
        results, place = attacked.folder / "results", attacked.folder / "place"
        for path in (results, place):
            path.mkdir()
        account = pwd.getpwnam(name)
        for path in (results, attacked.treasure, *attacked.treasure.rglob("*")):
            os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)
        treasure = state_of(attacked.treasure)
        found = python_as(name, place, AS_USER, reference, f"oci:{results}/small")
        assert state_of(attacked.treasure) == treasure
        assert found.split() == ["files", "0", "3"]
        assert not list(Path(account.pw_dir).rglob(f"{written}*"))
    assert left_since(host(), attacked.mark) == []


def another_architecture() -> str:
    return "arm64" if os.uname().machine == "x86_64" else "amd64"
