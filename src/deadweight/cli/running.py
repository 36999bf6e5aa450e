"""What ``deadweight run`` does once its arguments are read."""

from __future__ import annotations

import argparse
import os
import sys
import threading
from dataclasses import replace
from subprocess import PIPE
from typing import IO

from deadweight.budget.quantity import parse_bytes
from deadweight.cli.command import access_of, sandbox_of
from deadweight.cli.progress import open_progress
from deadweight.image import open_image
from deadweight.oci.config import Execution
from deadweight.sandbox import Command, Limits, Running, command_of, open_sandbox


def run(options: argparse.Namespace) -> int:
    """Runs the program; its exit code."""
    limits = Limits(
        seconds=options.timeout,
        memory=parse_bytes(options.memory, "--memory"),
        processes=options.processes,
        scratch=parse_bytes(options.scratch, "--scratch"),
        network=options.net,
    )
    progress = open_progress()
    try:
        with open_image(options.image, options.platform, access_of(options)) as image:
            command = _command(image.config.execution, options)
            with open_sandbox(image, sandbox_of(options), progress=progress) as box:
                progress.close()  # from here on the terminal is the program's
                with box.start(
                    command, limits, stdin=sys.stdin.fileno(), stdout=PIPE, stderr=PIPE
                ) as running:
                    return _waited(running)
    finally:
        progress.close()


def _command(execution: Execution, options: argparse.Namespace) -> Command:
    entrypoint = None
    if options.entrypoint is not None:
        entrypoint = [options.entrypoint] if options.entrypoint else []
    command = command_of(execution, options.argv, environment=dict(options.env), entrypoint=entrypoint)
    if options.user is not None:
        command = replace(command, user=options.user)
    if options.workdir is not None:
        command = replace(command, working_dir=options.workdir)
    return command


def _waited(running: Running) -> int:
    relays = [_relay(running.stdout, 1, running), _relay(running.stderr, 2, running)]
    try:
        end = running.wait()
    except KeyboardInterrupt:
        running.stop()  # as engines do: it may have something to finish
        raise
    finally:
        for relay in relays:
            relay.join()
    if end.stopped:
        sys.stderr.write(f"deadweight: ended: {end.stopped}\n")
    return end.code


def _relay(source: IO[bytes] | None, target: int, running: Running) -> threading.Thread:
    """Hands on what the program writes, at once. Where nobody reads it any more, the program ends."""

    def copy() -> None:
        while source is not None and (piece := os.read(source.fileno(), 1 << 16)):
            try:
                while piece:
                    piece = piece[os.write(target, piece) :]
            except OSError:
                running.kill()
                return

    thread = threading.Thread(target=copy, name="relay", daemon=True)
    thread.start()
    return thread
