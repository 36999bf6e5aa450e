"""What a program answers: its output, and how it ended."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress

from deadweight.errors import NotFound, Unsupported
from deadweight.probe.capture import Capture
from deadweight.probe.observation import ExitAnswer, Failure, Observation
from deadweight.sandbox import Program


def answer_inside(running: Program) -> Observation:
    """The answer of a program in a sandbox, whose outputs are pipes; its limits say how long that takes at most."""
    stdout, stderr = Capture(running.stdout), Capture(running.stderr)
    return answer_captured(running, stdout, stderr)


def answer_captured(running: Program, stdout: Capture, stderr: Capture) -> Observation:
    """The same, of a program whose outputs are captured already."""
    try:
        end = running.wait()
    except (NotFound, Unsupported) as error:
        return Failure(f"{error.subject}: {error.problem}", int(time.time()))
    if end.stopped:
        return Failure(end.stopped, int(time.time()))
    return _exit_answer(end.code, stdout, stderr)


def answer_of_host(process: subprocess.Popen[bytes], seconds: float) -> Observation:
    """The answer of a program of the host in a process group of its own, all of which is ended after `seconds`."""
    stdout, stderr = Capture(process.stdout), Capture(process.stderr)
    try:
        code = process.wait(seconds)
    except subprocess.TimeoutExpired:
        return Failure(f"it took more than {seconds:g} seconds", int(time.time()))
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()
    return _exit_answer(code, stdout, stderr)


def _exit_answer(code: int, stdout: Capture, stderr: Capture) -> ExitAnswer:
    stdout.finish()
    stderr.finish()
    truncated = stdout.truncated or stderr.truncated
    return ExitAnswer(code, stdout.first, stderr.first, truncated, int(time.time()))
