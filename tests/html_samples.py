"""Analyses made by hand for the tests of the HTML report: small known ones and a large one."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterator, Sequence
from random import Random

from deadweight.accounting.ledger import Ledger, open_ledger
from deadweight.accounting.model import (
    DEAD,
    SUSPECT,
    Action,
    Analysis,
    Cause,
    DiveScore,
    Finding,
    Item,
    LayerSummary,
    OwnerSummary,
    Remark,
    Secret,
    Surface,
)
from deadweight.accounting.view import View
from deadweight.evidence.model import Evidence, Reason
from deadweight.inventory.model import DEB, Inventory, Package
from deadweight.inventory.reader import Facts
from deadweight.layer.entry import DIRECTORY, FILE, HARD_LINK, SYMLINK, WHITEOUT_PREFIX, Entry
from deadweight.layer.index import LayerIndex, WireMap
from deadweight.oci.config import ImageConfig
from deadweight.oci.descriptor import Platform
from deadweight.oci.digest import Digest
from deadweight.probe.compare import Difference
from deadweight.probe.proof import ProbeResult
from deadweight.slimming.recorded import Recorded
from deadweight.slimming.result import Attempt, Measure, Outcome, Proof, SlimResult
from deadweight.slimming.selection import Removal
from deadweight.tree.merge import CLASSES, LIVE, Merged, merge

PLATFORM = Platform("linux", "amd64")


def file(path: str, size: int, content: str = "") -> Entry:
    """A file whose digest is that of `content`, else of its path and size."""
    digest = hashlib.sha256((content or f"{path} {size}").encode("utf-8", "surrogateescape")).digest()
    return Entry(path, FILE, size, 0o644, 0, 0, 0, "", digest, 0)


def directory(path: str) -> Entry:
    return Entry(path, DIRECTORY, 0, 0o755, 0, 0, 0, "", b"", 0)


def link(path: str, target: str) -> Entry:
    return Entry(path, SYMLINK, 0, 0o777, 0, 0, 0, target, b"", 0)


def hard_link(path: str, target: str) -> Entry:
    return Entry(path, HARD_LINK, 0, 0o644, 0, 0, 0, target, b"", 0)


def whiteout(path: str) -> Entry:
    parent, _, name = path.rpartition("/")
    return file(f"{parent}/{WHITEOUT_PREFIX}{name}" if parent else WHITEOUT_PREFIX + name, 0)


def layer_index(entries: Sequence[Entry], packing: float = 0.4) -> LayerIndex:
    """The index of a layer of `entries`, as if it had been packed to `packing` of its size."""
    placed, offset = [], 0
    starts, wires = array("q", [0]), array("q", [0])
    for entry in entries:
        placed.append(entry._replace(start=offset))
        offset += 512 + -(-entry.size // 512) * 512
        if int(offset * packing) > wires[-1]:
            starts.append(offset)
            wires.append(int(offset * packing))
    starts.append(offset + 1024)
    wires.append(int(offset * packing) + 30)
    name = hashlib.sha256(repr(placed).encode("utf-8", "surrogateescape")).hexdigest()
    digest = Digest("sha256:" + name)
    return LayerIndex(digest, digest, wires[-1], starts[-1], "gzip", placed, WireMap(starts, wires), {})


def analysis_of(
    layers: Sequence[Sequence[Entry]],
    instructions: Sequence[str] = (),
    packages: Sequence[Package] = (),
    findings: Sequence[Finding] = (),
    *,
    reference: str = "registry.example.org/shop/api:1.4",
    wire_known: bool = True,
    secrets: tuple[Secret, ...] = (),
    remarks: tuple[Remark, ...] = (),
    actions: tuple[Action, ...] = (),
) -> Analysis:
    """The analysis of an image of `layers`; the dead findings are made from its ledger."""
    indexes = [layer_index(entries) for entries in layers]
    merged = merge(indexes)
    ledger = open_ledger(merged, indexes, [wire_known] * len(indexes))
    owners = {path: package for package in packages for path in package.paths}
    inventory = Inventory(tuple(packages), owners, "Debian GNU/Linux 12 (bookworm)")
    summaries = tuple(
        LayerSummary(
            position,
            index.digest,
            index.diff_id,
            "application/vnd.oci.image.layer.v1.tar+gzip",
            instructions[position] if position < len(instructions) else f"RUN step {position}",
            index.blob_size if wire_known else None,
            index.unpacked,
            sum(entry.kind == FILE for entry in index.entries),
            ledger.layer_classes(position),
        )
        for position, index in enumerate(indexes)
    )
    return Analysis(
        reference=reference,
        digest=Digest.of(reference.encode("utf-8", "surrogateescape")),
        platform=PLATFORM,
        config=ImageConfig(PLATFORM, tuple(index.diff_id for index in indexes)),
        wire=sum(index.blob_size for index in indexes) if wire_known else None,
        wire_estimated=False,
        unpacked=sum(index.unpacked for index in indexes),
        classes=ledger.classes(),
        layers=summaries,
        owners=tuple(_owner_summaries(ledger, merged, inventory)),
        findings=(*_dead_findings(ledger), *findings),
        remarks=remarks,
        actions=actions,
        secrets=secrets,
        surface=Surface({DEB: len(packages)}, 812, ("usr/bin/passwd", "usr/bin/su"), ("usr/bin/dash",)),
        dive=DiveScore(0.9312, 1_234_567, 23_456_789),
        problems=(),
        ledger=ledger,
        merged=merged,
        inventory=inventory,
    )


def suspect(name: str, title: str, analysis: Analysis, *paths: str, part: float = 1) -> Finding:
    """A finding over the live contents of `analysis` at or under `paths`, or over a `part` of each."""
    items = [
        Item(row.entry.path, row.layer, max(1, int(row.entry.size * part)), row.wire)
        for row in analysis.ledger.live()
        if row.entry.size and any(f"{row.entry.path}/".startswith(f"{path}/") for path in paths)
    ]
    items.sort(key=lambda item: (-item.unpacked, item.path))
    unpacked = sum(item.unpacked for item in items)
    wire = sum(item.wire or 0 for item in items)
    cause = Cause(0, analysis.layers[0].instruction, "", unpacked)
    return Finding(
        name,
        SUSPECT,
        title,
        f"{title}: nothing reads them.",
        f"Leave out {title.lower()}.",
        unpacked,
        wire,
        tuple(items),
        (cause,),
    )


def _dead_findings(ledger: Ledger) -> Iterator[Finding]:
    for kind in CLASSES:
        rows = [row for row in ledger.dead() if row.kind == kind]
        if kind != LIVE and rows:
            items = sorted(
                (Item(row.entry.path, row.layer, row.entry.size, row.wire) for row in rows),
                key=lambda item: (-item.unpacked, item.path),
            )
            unpacked = sum(item.unpacked for item in items)
            wire = sum(item.wire or 0 for item in items) or None
            yield Finding(
                kind,
                DEAD,
                f"{kind.capitalize()} files",
                f"A later layer has {kind} them.",
                "Do it in one step.",
                unpacked,
                wire,
                tuple(items),
            )


def _owner_summaries(ledger: Ledger, merged: Merged, inventory: Inventory) -> list[OwnerSummary]:
    paths = {(node.layer, node.number): path for path, node in reversed(list(merged.tree.walk()))}
    sums: dict[str, list[int]] = {}
    for row in ledger.live():
        owner = inventory.owners.get(paths.get((row.layer, row.number), row.entry.path))
        total = sums.setdefault(owner.name if owner else "", [0, 0, 0])
        total[0] += 1
        total[1] += row.entry.size
        total[2] += row.wire or 0
    by_name = {package.name: package for package in inventory.packages}
    summaries = [OwnerSummary(by_name.get(name), *total) for name, total in sums.items()]
    return sorted(summaries, key=lambda owner: -owner.unpacked)


def small(*, wire_known: bool = True) -> Analysis:
    """An image of three layers with every class, a hard link, a link to a directory, owners and findings."""
    layers = [
        [
            directory("usr"),
            directory("usr/lib"),
            link("usr/lib64", "lib"),
            file("usr/bin/perl", 3_000_000),
            file("usr/bin/tool", 1_200_000),
            hard_link("usr/bin/tool-again", "usr/bin/tool"),
            file("usr/lib/libx.so", 900_000, "libx"),
            file("usr/lib/libz.so", 400_000),
            file("usr/share/doc/perl/README", 600_000),
            file("usr/share/doc/perl/copyright", 300_000),
            file("var/log/install.log", 250_000),
            file("opt/old/data.bin", 800_000),
            file("opt/old/more.bin", 400_000),
            file("empty", 0),
        ],
        [
            whiteout("opt/old"),
            file("usr/lib/libx.so", 900_000, "libx"),
            file("var/log/install.log", 90_000),
            file("usr/lib64/liby.so", 500_000),
        ],
        [file("srv/app/main.py", 40_000), file("srv/app/logo.png", 160_000)],
    ]
    instructions = (
        "ADD rootfs.tar /",
        "RUN apt-get update && apt-get install -y liby && rm -rf /opt/old && chmod a+x /usr/lib/libx.so",
        "COPY . /srv/app",
    )
    documents = ("usr/share/doc/perl/README", "usr/share/doc/perl/copyright")
    packages = (
        Package(DEB, "libx1", "2.0-1", "var/lib/dpkg/status", ("usr/lib/libx.so", "usr/lib/libz.so")),
        Package(DEB, "perl", "5.36.0-7", "var/lib/dpkg/status", ("usr/bin/perl", *documents)),
    )
    plain = analysis_of(layers)
    findings = (
        suspect("unused-packages", "Unused packages", plain, "usr/share/doc/perl/README", "usr/bin/tool"),
        suspect("documentation", "Documentation", plain, "usr/share/doc"),
        suspect("debug", "Debug sections", plain, "usr/lib", part=0.25),
        suspect("logs", "Logs", plain, "var/log"),
    )
    return analysis_of(
        layers,
        instructions,
        packages,
        findings,
        wire_known=wire_known,
        secrets=(Secret(0, "opt/old/data.bin", "OpenSSH private key", live=False),),
        actions=(
            Action("delete", "Delete where it was made", "One step.", 1_200_000, 480_000, ("deleted",)),
        ),
    )


def large(files: int = 54_000, seed: int = 1) -> Analysis:
    """An image whose paths have the lengths and repetitions of a Debian one with Python and Node on it.

    Its second layer changes one file of 50, its third deletes one of 100.
    """
    random = Random(seed)
    base: dict[str, Entry] = {}
    packages: list[Package] = []
    while len(base) < files:
        name = f"{_word(random, 3)}{len(packages)}"
        paths = _package_paths(random, name, min(random.randint(20, 240), files - len(base)))
        base |= {path: file(path, int(random.lognormvariate(8.3, 1.9))) for path in paths}
        version = f"1.{random.randint(0, 99)}-2+deb12u1"
        packages.append(Package(DEB, name, version, "var/lib/dpkg/status", tuple(paths)))
    changed = sorted(random.sample(sorted(base), files // 50))
    deleted = sorted(random.sample(sorted(base), files // 100))
    layers = [
        [base[path] for path in sorted(base)],
        [file(path, base[path].size, f"{path} changed") for path in changed],
        [whiteout(path) for path in deleted],
    ]
    plain = analysis_of(layers)
    findings = (
        suspect("documentation", "Documentation", plain, "usr/share/doc"),
        suspect("locales", "Translations", plain, "usr/share/locale"),
    )
    return analysis_of(layers, ("ADD rootfs.tar /", "RUN upgrade", "RUN cleanup"), packages, findings)


NEEDED = "the dynamic linker loads it as {} (DT_NEEDED)"


def slimmed(analysis: Analysis, kinds: Sequence[str] = ("documentation", "unused-package")) -> SlimResult:
    """As if every other file of `analysis` had gone, for `kinds` in turn, and the others were needed by the first."""
    paths = sorted(analysis.merged.tree.files)
    first, gone = paths[0], paths[1::2]
    names = {
        (node.layer, node.number): path for path, node in reversed(list(analysis.merged.tree.files.items()))
    }
    removals = []
    for number, path in enumerate(gone):
        node = analysis.merged.tree.files[path]
        owner = analysis.inventory.owners.get(path)
        counted = names[node.layer, node.number] == path
        label = owner.label if owner is not None else ""
        removals.append(Removal(path, node.entry.size if counted else 0, kinds[number % len(kinds)], label))
    reasons = {
        path: Reason(first, "elf-needed", NEEDED.format(path.rpartition("/")[2])) for path in paths[2::2]
    }
    measure = Measure(analysis.wire, analysis.unpacked, len(paths), 3, 2, 9, 1, 1)
    proof = Proof(
        (ProbeResult("http:GET /", ()), ProbeResult("exec:app", (Difference("status", "200", "500"),)))
    )
    dead = sum(row.entry.size for row in analysis.ledger.dead())
    return SlimResult(
        reference=analysis.reference,
        platform="linux/amd64",
        destination="oci:slim",
        before=measure,
        attempts=(Attempt("files", measure, proof, outcome=Outcome(tuple(removals), dead=dead)),),
        digest=None,
        view=View(
            analysis.config,
            analysis.ledger,
            analysis.merged,
            analysis.inventory,
            Facts(analysis.merged.tree, analysis.ledger.layers),
        ),
        evidence=Evidence({first: Reason("", "observed", "was executed in the workload"), **reasons}),
        recorded=Recorded(),
        notes=("a/b: cannot be read",),
        seconds=1.5,
    )


_PARENTS = (
    "usr/lib/x86_64-linux-gnu",
    "usr/share/doc",
    "usr/share/locale",
    "usr/lib/python3/dist-packages",
    "opt/app/node_modules",
    "usr/lib/modules/6.1.0-32-amd64/kernel/drivers",
    "usr/share/icons/hicolor",
)
_SUFFIXES = (".py", ".so", ".js", ".mo", ".d.ts", ".h", ".gz", "")
_SYLLABLES = (
    "lib",
    "con",
    "py",
    "ser",
    "net",
    "sys",
    "dev",
    "gen",
    "io",
    "core",
    "data",
    "ten",
    "ra",
    "mo",
    "xml",
)


def _package_paths(random: Random, package: str, files: int) -> list[str]:
    folders = [f"{random.choice(_PARENTS)}/{package}"]
    paths = []
    for number in range(files):
        if random.random() < 0.15:
            folders.append(f"{random.choice(folders)}/{_word(random, 2)}{number}")
        name = _word(random, random.randint(1, 4))
        paths.append(f"{random.choice(folders)}/{name}{number}{random.choice(_SUFFIXES)}")
    return paths


def _word(random: Random, syllables: int) -> str:
    return "".join(random.choice(_SYLLABLES) for _ in range(syllables))
