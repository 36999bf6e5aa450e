"""Run as a program: writes an image once for each target, killed (SIGKILL) before the given call into C.

Every system call is such a call. Without a number nothing is killed, and the number of calls is printed, with that of
those before the commit.
"""

from __future__ import annotations

import os
import signal
import sys
from itertools import count
from types import FrameType

from archive_samples import ANYWHERE
from deadweight.transport.names import open_destination
from services.images import SampleImage, sample_image
from services.transfer import descriptor_of, document_of


def new_image(compression: str) -> SampleImage:
    """What is written; two layers, so that there is something between them."""
    return sample_image(({"new": b"content" * 1000}, {"more": b""}), compression=compression)


def write(target: str, kill_before: int) -> None:
    calls = count(1)
    called = before_commit = 0

    def at_call(frame: FrameType, event: str, argument: object) -> None:
        nonlocal called
        if event == "c_call":
            called = next(calls)
            if called == kill_before:
                os.kill(os.getpid(), signal.SIGKILL)

    image = new_image("uncompressed" if target.startswith("docker-archive:") else "gzip")
    sys.setprofile(at_call)
    with open_destination(target, ANYWHERE) as destination:
        for layer in image.layers:
            destination.put_blob(iter([layer.data]), layer.media_type, descriptor_of(layer))
        destination.put_document(document_of(image.config))
        before_commit = called
        destination.commit(document_of(image.manifest))
    sys.setprofile(None)
    print(before_commit, called)  # noqa: T201


def main(targets: list[str]) -> None:
    for argument in targets:
        number, _, target = argument.partition(" ")
        child = os.fork()
        if not child:
            write(target, int(number))
            sys.stdout.flush()
            os._exit(0)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main(sys.argv[1:])
