"""What a slimmer that keeps only what it saw in use makes of the corpus.

python -m benchmarks.observed [--runtime NAME] [NAME...]

Loads each image into the engine of DOCKER_HOST, lets `mint slim` request `/` of it, and asks the result all that the
corpus knows of the application. Where mint is not on the PATH, it says so and ends. mint starts a privileged container:
`--runtime` names a runtime of the engine that can give one. mint asks for the container by its address, which django
refuses: what mint saw of it is a refusal. The images are those in .cache/images; it needs root.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import programs
from benchmarks.measure import Failed, run
from benchmarks.results import megabytes, seconds, table
from examples.corpus.application import Application, names, read_application, read_slim
from examples.corpus.check import check
from examples.corpus.chroot import Chroot
from examples.corpus.questions import PROBE, Kind
from examples.corpus.slimmed import IMAGES

HEAD = ("application", "unpacked before MB", "after MB", "seconds", "probes kept", "behaviours kept")


@dataclass(frozen=True, slots=True)
class Observed:
    """What became of one application. `before` and `after` are unpacked bytes; `probes` and `behaviours` are kept and asked."""

    name: str
    before: int
    after: int
    seconds: float
    probes: tuple[int, int]
    behaviours: tuple[int, int]

    def row(self) -> tuple[str, ...]:
        sizes = megabytes(self.before), megabytes(self.after)
        kept = (f"{kept} of {asked}" for kept, asked in (self.probes, self.behaviours))
        return self.name, *sizes, seconds(self.seconds), *kept


def observe(application: Application, found: dict[str, str], runtime: str) -> Observed:
    """Lets mint slim the application's image, and judges what it made. Raises `Failed` where it made nothing."""
    image, target = f"corpus/{application.name}:latest", f"observed/{application.name}:latest"
    origin = f"oci:{IMAGES / application.name}"
    with TemporaryDirectory(prefix="observed-") as name:
        folder = Path(name)
        call(found["deadweight"], "copy", origin, f"docker-daemon:{image}")
        options = [
            "--pull=false",
            "--http-probe-cmd",
            "/",
            "--continue-after",
            "probe",
            "--remove-file-artifacts",
        ]
        options += ["--cro-runtime", runtime] if runtime else []
        sample = run(
            [
                *(found["mint"], "--check-version=false", "--state-path", f"{folder}/state"),
                *("--report", f"{folder}/mint.json", "slim", "--target", image, "--tag", target, *options),
            ],
            {"HOME": name, "PATH": os.environ["PATH"]},
            folder / "log",
        )
        call(found["deadweight"], "copy", f"docker-daemon:{target}", f"oci:{folder}/image")
        rows = check(application, folder / "image", Chroot())
        return Observed(
            application.name,
            unpacked(found["deadweight"], origin, folder),
            unpacked(found["deadweight"], f"oci:{folder}/image", folder),
            sample.seconds,
            counted([not row.objection for row in rows if row.behaviour.name == PROBE]),
            counted([not row.objection for row in rows if row.behaviour.name != PROBE]),
        )


def call(*command: str) -> None:
    """Runs a command that says nothing unless it fails."""
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def unpacked(deadweight: str, reference: str, folder: Path) -> int:
    """The image's unpacked bytes."""
    report = folder / "report.json"
    call(deadweight, "analyze", reference, "--json", str(report))
    size: int = json.loads(report.read_text())["size"]["unpacked"]
    return size


def counted(verdicts: list[bool]) -> tuple[int, int]:
    return sum(verdicts), len(verdicts)


def answers_http(application: Application) -> bool:
    """Whether its probes are what mint can ask: requests."""
    return all(probe.kind is Kind.HTTP for probe in read_slim(application).probes)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.observed", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--runtime", default="", help="of the engine, for mint's container")
    options = parser.parse_args()
    found = programs.find()
    if "mint" not in found:
        raise SystemExit("mint is not on the PATH: there is nothing to compare with")
    rows = []
    for name in options.names or names():
        application = read_application(name)
        if not answers_http(application) or not (IMAGES / name / "index.json").is_file():
            print(f"{name}: left out: not asked by HTTP, or not built", file=sys.stderr)
            continue
        try:
            rows.append(observe(application, found, options.runtime).row())
        except Failed as error:
            print(f"{name}: {error}", file=sys.stderr)
    print(table(HEAD, rows), end="")


if __name__ == "__main__":
    main()
