"""One HTTP request (RFC 9112) over a connection that is there: no redirect is followed, nothing is decoded."""

from __future__ import annotations

import http.client
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import quote

from deadweight.probe.observation import MAX_RECORDED, Failure, HttpAnswer, Observation, bounded
from deadweight.probe.spec import Http

_HEADERS = (("Host", "localhost"), ("User-Agent", "deadweight"), ("Accept", "*/*"), ("Connection", "close"))
"""What is sent unless the probe says otherwise. No Accept-Encoding: bodies are compared as they are."""


def ask_http(connection: socket.socket, probe: Http, seconds: float) -> Observation:
    """What is answered to `probe` on `connection`, which is closed; a `Failure` where that takes more than `seconds`."""
    asker = http.client.HTTPConnection("localhost")
    asker.sock = connection
    try:
        with _ended_after(connection, seconds) as over:
            try:
                _send(asker, probe)
                with asker.getresponse() as response:
                    answer: Observation = _receive(response)
            except (OSError, http.client.HTTPException) as error:
                answer = Failure(_reason(error), int(time.time()))
            # What was read until then may look whole.
            return (
                Failure(f"no whole answer within {seconds:g} seconds", answer.at) if over.is_set() else answer
            )
    finally:
        asker.close()


def _send(asker: http.client.HTTPConnection, probe: Http) -> None:
    named = {name.lower() for name, _ in probe.headers}
    path = "".join(one if one.isascii() else quote(one) for one in probe.path)
    asker.putrequest(probe.method, path, skip_host=True, skip_accept_encoding=True)
    body = probe.body.encode("utf-8", "surrogateescape")
    more = (("Content-Type", _media_type(probe.body)), ("Content-Length", str(len(body)))) if body else ()
    for name, value in (*_HEADERS, *more):
        if name.lower() not in named:
            asker.putheader(name, value)
    for name, value in probe.headers:
        asker.putheader(name, value.encode("utf-8", "surrogateescape"))
    asker.endheaders(body or None)


def _media_type(body: str) -> str:
    """What a body most likely is: JSON or, as curl has it, a form."""
    return "application/json" if re.match(r"\s*[{\[]", body) else "application/x-www-form-urlencoded"


def _receive(response: http.client.HTTPResponse) -> HttpAnswer:
    body, truncated = bounded(response.read(MAX_RECORDED + 1))
    if response.length and not truncated:  # http.client says so only where it is asked for all of it
        raise http.client.IncompleteRead(body, response.length)
    return HttpAnswer(
        status=response.status,
        reason=response.reason,
        headers=tuple(response.getheaders()),
        body=body,
        truncated=truncated,
        at=int(time.time()),
    )


def _reason(error: Exception) -> str:
    if isinstance(error, http.client.IncompleteRead):
        return "the answer broke off"
    if isinstance(error, ConnectionResetError | BrokenPipeError):
        return "the connection was closed without an answer"
    if isinstance(error, http.client.BadStatusLine):
        return "the answer is not HTTP"
    return (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__


@contextmanager
def _ended_after(connection: socket.socket, seconds: float) -> Iterator[threading.Event]:
    """Ends `connection` when the time is over, however slowly it is still answered; says so by the event."""
    over = threading.Event()

    def end() -> None:
        over.set()
        with suppress(OSError):  # it has been closed already
            connection.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield over
    finally:
        timer.cancel()
