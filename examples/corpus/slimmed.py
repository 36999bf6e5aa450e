"""Slims an application with the command line of this checkout, and asks the result all that is known of it."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

from examples.corpus.application import Application
from examples.corpus.build import build
from examples.corpus.check import Row, check
from examples.corpus.chroot import Chroot
from examples.corpus.questions import PROBE
from examples.corpus.results import Outcome, Sizes

CHECKOUT = Path(__file__).parents[2]
SLIMMER = CHECKOUT / "src/deadweight"
IMAGES = Path(".cache/images")
SLIMMED = Path(".cache/slimmed")


def outcome_of(application: Application) -> Outcome:
    """The outcome for `application`; what an earlier run found out of the same image with the same code is taken from there."""
    image = built(application)
    kept = SLIMMED / f"{application.name}-{fingerprint(application, image)}.json"
    if not kept.is_file():
        SLIMMED.mkdir(parents=True, exist_ok=True)
        text = json.dumps(asdict(slimmed(application, image)), indent=1)
        aside = kept.with_suffix(".new")
        aside.write_text(text)
        aside.rename(kept)
    return Outcome.from_json(kept.read_text())


def built(application: Application) -> Path:
    """The application's image, built where it is not there, or older than what it is made of."""
    image = IMAGES / application.name
    made_of = [
        application.folder / "app.toml",
        *(application.folder / source for source in application.files),
    ]
    index = image / "index.json"
    if not index.is_file() or index.stat().st_mtime < max(map(newest, made_of)):
        say(f"{application.name}: building the image")
        build(application, image)
    return image


def newest(path: Path) -> float:
    """When a file, or the last one below a folder, was changed."""
    return max(one.stat().st_mtime for one in (path, *path.rglob("*")))


def fingerprint(application: Application, image: Path) -> str:
    """Names the image, what is asked, and the code that slims and judges: an outcome holds for these."""
    digest = hashlib.sha256((image / "index.json").read_bytes())
    questions = (application.folder / "probes.toml", application.folder / "behaviours.toml")
    code = (path for folder in (SLIMMER, Path(__file__).parent) for path in folder.rglob("*.py"))
    knowledge = SLIMMER.rglob("*.toml")
    for path in (*questions, *sorted(code), *sorted(knowledge)):
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def slimmed(application: Application, image: Path) -> Outcome:
    """Slims `image` at the deepest level that passes its probes, and checks the result."""
    target = SLIMMED / application.name
    with TemporaryDirectory(prefix="corpus-slim-") as name:
        report = Path(name) / "report.json"
        line = [sys.executable, "-m", "deadweight", "slim", f"oci:{image}", "--to", f"oci:{target}"]
        line += ["--level", "auto", "--config", str(application.folder / "probes.toml")]
        line += ["--json", str(report)]
        say(f"{application.name}: slimming")
        begin = time.monotonic()
        done = subprocess.run(
            line,
            stdout=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": str(CHECKOUT / "src"), "XDG_CACHE_HOME": name},
            check=False,
        )
        seconds = time.monotonic() - begin
        if done.returncode not in (0, 1):
            raise SystemExit(f"{application.name}: deadweight slim ended with {done.returncode}")
        value = json.loads(report.read_text())
    before = Sizes(value["before"]["wire"], value["before"]["unpacked"])
    if value["digest"] is None:
        failed = tuple(f"probe {probe['probe']}" for probe in value["proof"]["probes"] if not probe["passed"])
        return Outcome(application.name, before, None, "", 0, 0, seconds, failed)
    say(f"{application.name}: checking")
    rows = check(application, target, Chroot())
    behaviours = [row for row in rows if row.behaviour.name != PROBE]
    return Outcome(
        name=application.name,
        before=before,
        after=Sizes(value["after"]["wire"], value["after"]["unpacked"]),
        level=value["level"],
        kept=sum(not row.objection for row in behaviours),
        behaviours=len(behaviours),
        seconds=seconds,
        broken=tuple(told(row) for row in rows if row.objection),
    )


def told(row: Row) -> str:
    """One line for what is broken."""
    objection = " ".join(row.objection.split())[:200]
    return f"{row.behaviour.name} ({row.behaviour.question}): {objection}"


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
