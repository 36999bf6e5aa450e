"""Starts an application and asks all that is known of it: the probes, and what no probe touches."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from examples.corpus.application import Application, Slim, read_behaviours, read_slim
from examples.corpus.questions import Answer, Behaviour, Kind, Question, probe
from examples.corpus.starter import Running, Starter

PATIENCE = 60.0
ASK = Path(__file__).with_name("ask.py")
LISTENS = "import socket, sys; socket.create_connection(('127.0.0.1', int(sys.argv[1])), 5)"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the result: `objection` is empty where all was well."""

    behaviour: Behaviour
    objection: str


def check(application: Application, image: Path, starter: Starter) -> list[Row]:
    """Asks everything. What ends the application, or finds it ended, is asked of one started anew."""
    slim = read_slim(application)
    asked = [*map(probe, slim.probes), *read_behaviours(application)]
    together = [one for one in asked if one.question.kind is not Kind.SIGNAL and not slim.ends]
    rows = []
    with opened(application, image) as (root, config):
        if together:
            rows += ask_all(starter, root, config, slim, together)
        for behaviour in asked:
            if behaviour not in together:
                rows += ask_all(starter, root, config, slim, [behaviour])
    return rows


def ask_all(
    starter: Starter, root: Path, config: dict[str, Any], slim: Slim, asked: list[Behaviour]
) -> list[Row]:
    """Starts the application and asks it; of one that ends by itself, a command takes the place of its own."""
    question = asked[0].question
    if slim.ends and question.kind is Kind.EXEC:
        config = {**config, "Entrypoint": None, "Cmd": shlex.split(question.text)}
    with starter.start(root, config) as running:
        if slim.ends and question.kind is not Kind.SIGNAL:
            answers = [Answer(running.ended(PATIENCE), running.said())]
        else:
            unready = wait_until_ready(running, slim, config)
            answers = [
                Answer(None, unready) if unready else answer(running, one.question, config) for one in asked
            ]
        rows = [Row(one, one.objection(given)) for one, given in zip(asked, answers, strict=True)]
        if not slim.ends and any(row.objection for row in rows):
            print(running.said()[-3000:], file=sys.stderr)
    return rows


@contextmanager
def opened(application: Application, image: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The file system and the config: of an OCI layout its own, for a plain folder what app.toml says."""
    if not (image / "oci-layout").is_file():
        yield image, application.config
        return
    with TemporaryDirectory(prefix="corpus-image-") as name:
        root, archive = Path(name) / "root", Path(name) / "root.tar"
        root.mkdir()
        deadweight = [sys.executable, "-m", "deadweight", "copy", f"oci:{image}", f"rootfs:{archive}"]
        subprocess.run(deadweight, check=True, stdout=subprocess.DEVNULL)
        unpack(archive, root)
        archive.unlink()
        yield root, image_config(image)


def unpack(archive: Path, root: Path) -> None:
    """Lays a tar archive out in `root`, with its owners."""
    options = ["--numeric-owner", "--same-owner", "--same-permissions", "--xattrs", "--xattrs-include=*"]
    subprocess.run(["tar", "--extract", f"--file={archive}", f"--directory={root}", *options], check=True)


def image_config(layout: Path) -> dict[str, Any]:
    """The config of the only image of an OCI layout."""
    manifest = blob(layout, json.loads((layout / "index.json").read_text())["manifests"][0])
    config: dict[str, Any] = blob(layout, manifest["config"])["config"]
    return config


def blob(layout: Path, descriptor: dict[str, Any]) -> Any:
    return json.loads((layout / "blobs" / descriptor["digest"].replace(":", "/")).read_text())


def wait_until_ready(running: Running, slim: Slim, config: dict[str, Any]) -> str:
    """Waits until the application answers; returns what went wrong, or nothing."""
    if slim.ready is None:
        return ""
    ready, deadline = probe(slim.ready), time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if (code := running.ended(0.1)) is not None:
            return f"ended with {code}: {running.said().strip()[-600:]}"
        if not ready.objection(answer(running, slim.ready, config)):
            return ""
    return f"not ready after {PATIENCE:.0f} seconds: {running.said().strip()[-600:]}"


def answer(running: Running, question: Question, config: dict[str, Any]) -> Answer:
    """Asks one question."""
    try:
        if question.kind is Kind.HTTP:
            return ask_http(running, question, first_port(config))
        if question.kind is Kind.TCP:
            ran = running.beside([sys.executable, "-I", "-c", LISTENS, question.text], "", PATIENCE)
        elif question.kind is Kind.EXEC:
            ran = running.inside(shlex.split(question.text), PATIENCE)
        else:
            if question.kind is Kind.SIGNAL:
                running.signal(question.text)
            return Answer(running.ended(PATIENCE), running.said())
    except ProcessLookupError as error:
        return Answer(None, str(error))
    return Answer(ran.exit, ran.output)


def ask_http(running: Running, question: Question, port: int) -> Answer:
    method, path, body = question.request()
    request = {"method": method, "path": path, "body": body, "port": port, "timeout": PATIENCE / 2}
    ran = running.beside([sys.executable, "-I", str(ASK)], json.dumps(request), PATIENCE)
    return Answer(**json.loads(ran.output)) if ran.exit == 0 else Answer(None, ran.output)


def first_port(config: dict[str, Any]) -> int:
    return int(min(config["ExposedPorts"]).partition("/")[0])
