"""Who takes part in each contest, and with which command line."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from benchmarks.contest import Entrant
from benchmarks.inputs import CACHE, Input, docker_archive

FLOOR = "inflate, nothing else"
ANALYZE = "deadweight analyze --no-cache"
KEPT = "deadweight analyze, first look"
AGAIN = "deadweight analyze, second look"
SKOPEO = "skopeo copy --dest-decompress"
SYFT = "syft scan"
UMOCI = "umoci unpack"
DIVE = "dive (docker archive)"
CRANE = "crane export (docker archive)"
OF_ARCHIVE = "deadweight analyze (docker archive)"
VERSION = "deadweight --version"
NOTHING = "python -c pass"
COPY = "deadweight copy"
SKOPEO_COPY = "skopeo copy"


def analysis(image: Input, compression: str, programs: Mapping[str, str]) -> list[Entrant]:
    """Reading the whole image: deadweight, and what others do when they read it whole."""
    deadweight = programs["deadweight"]
    inflate = str(Path(__file__).with_name("inflate.py"))
    entrants = [
        Entrant(FLOOR, lambda _: [sys.executable, inflate, str(image.path)]),
        Entrant(
            ANALYZE,
            lambda out: [
                deadweight,
                "analyze",
                image.reference,
                "--no-cache",
                "--json",
                f"{out}/report.json",
            ],
        ),
        Entrant(KEPT, lambda out: [deadweight, "analyze", image.reference, "--json", f"{out}/report.json"]),
        Entrant(
            AGAIN,
            lambda out: [deadweight, "analyze", image.reference, "--json", f"{out}/report.json"],
            cache=CACHE / "second-look",
        ),
    ]
    if skopeo := programs.get("skopeo"):
        common = [skopeo, "--insecure-policy", "copy", "--quiet", "--dest-decompress"]
        entrants.append(Entrant(SKOPEO, lambda out: [*common, image.reference, f"dir:{out}/image"]))
    if syft := programs.get("syft"):
        entrants.append(
            Entrant(
                SYFT, lambda out: [syft, "scan", f"oci-dir:{image.path}", "-q", "-o", f"json={out}/sbom.json"]
            )
        )
    if compression == "gzip":
        entrants += _of_gzip(image, programs)
    return entrants


def _of_gzip(image: Input, programs: Mapping[str, str]) -> list[Entrant]:
    """Those that know no zstd, or read docker archives only."""
    entrants = []
    if umoci := programs.get("umoci"):
        entrants.append(
            Entrant(
                UMOCI,
                lambda out: [umoci, "unpack", "--rootless", "--image", f"{image.path}:latest", f"{out}/b"],
            )
        )
    if "dive" in programs or "crane" in programs:
        archive = docker_archive(image)
        deadweight = programs["deadweight"]
        reference = f"docker-archive:{archive}"
        entrants.append(
            Entrant(
                OF_ARCHIVE, lambda out: [deadweight, "analyze", reference, "--json", f"{out}/report.json"]
            )
        )
        if dive := programs.get("dive"):
            entrants.append(
                Entrant(
                    DIVE,
                    lambda out: [dive, "--source", "docker-archive", str(archive), "--json", f"{out}/report"],
                )
            )
        if crane := programs.get("crane"):
            entrants.append(
                Entrant(CRANE, lambda out: [crane, "export", "-", f"{out}/tree.tar"], stdin=archive)
            )
    return entrants


def recompression(image: Input, target: str, programs: Mapping[str, str]) -> list[Entrant]:
    """Writing the image in another compression."""
    deadweight, skopeo = programs["deadweight"], programs["skopeo"]
    common = [skopeo, "--insecure-policy", "copy", "--quiet", "--dest-compress-format", target]
    return [
        Entrant(
            COPY,
            lambda out: [
                deadweight,
                "copy",
                image.reference,
                f"oci:{out}/image:latest",
                "--compression",
                target,
            ],
            output="image/blobs",
        ),
        Entrant(
            SKOPEO_COPY,
            lambda out: [*common, image.reference, f"oci:{out}/image:latest"],
            output="image/blobs",
        ),
    ]


def start_up(programs: Mapping[str, str]) -> list[Entrant]:
    """How long it takes to say nothing much."""
    return [
        Entrant(NOTHING, lambda _: [sys.executable, "-c", "pass"]),
        Entrant(VERSION, lambda _: [programs["deadweight"], "--version"]),
    ]


def memory(image: Input, programs: Mapping[str, str]) -> list[Entrant]:
    """The memory of an analysis."""
    return [
        Entrant(
            ANALYZE,
            lambda out: [programs["deadweight"], "analyze", image.reference, "--json", f"{out}/report"],
        )
    ]
