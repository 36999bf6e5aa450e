"""One request to servers that say what they are told to, byte for byte."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from deadweight.probe.http import ask_http
from deadweight.probe.observation import MAX_RECORDED, Failure, HttpAnswer, Observation
from deadweight.probe.spec import Http
from deadweight.probe.tcp import MAX_FIRST, greeting


@contextmanager
def server(
    response: bytes, *, end: bytes = b"\r\n\r\n", hang: bool = False
) -> Iterator[tuple[socket.socket, list[bytes]]]:
    """A connection to one that reads a request to its `end`, sends `response`, and closes unless it is to `hang`; what it read."""
    ours, theirs = socket.socketpair()
    asked: list[bytes] = []

    def serve() -> None:
        with theirs, suppress(OSError):
            while response and end not in b"".join(asked):
                asked.append(theirs.recv(1 << 16))
            theirs.sendall(response)
            while hang and theirs.recv(1 << 16):
                pass

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with ours:
            yield ours, asked
    finally:
        thread.join()


def ask(
    response: bytes, probe: Http | None = None, *, hang: bool = False, seconds: float = 20
) -> Observation:
    with server(response, hang=hang) as (connection, _):
        return ask_http(connection, probe or Http("GET", "/"), seconds)


def test_what_is_sent() -> None:
    probe = Http("POST", "/ä?b", headers=(("content-type", "x/y"), ("X-A", "ü")), body="ö")
    with server(b"HTTP/1.1 204 No Content\r\n\r\n", end="\r\n\r\nö".encode()) as (connection, asked):
        assert isinstance(ask_http(connection, probe, 20), HttpAnswer)
    lines = b"".join(asked).split(b"\r\n")
    assert lines[0] == b"POST /%C3%A4?b HTTP/1.1"
    assert set(lines[1:-2]) == {
        b"Host: localhost", b"User-Agent: deadweight", b"Accept: */*", b"Connection: close", b"Content-Length: 2",
        b"content-type: x/y", "X-A: ü".encode(),
    }  # fmt: skip
    assert lines[-1] == "ö".encode()


@pytest.mark.parametrize(
    ("response", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", b"ab"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n", b"ab"),
        (b"HTTP/1.0 200 OK\r\n\r\nab", b"ab"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b""),
    ],
)
def test_bodies(response: bytes, body: bytes) -> None:
    answer = ask(response)
    assert isinstance(answer, HttpAnswer)
    assert (answer.status, answer.reason, answer.body, answer.truncated) == (200, "OK", body, False)


def test_a_redirect_is_an_answer_and_headers_stay_as_they_are() -> None:
    answer = ask(b"HTTP/1.1 302 Found\r\nLocation: /x\r\nSet-Cookie: a=1\r\nSet-Cookie: b=\xfc\r\n\r\n")
    assert isinstance(answer, HttpAnswer)
    assert answer.headers == (("Location", "/x"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=ü"))


@pytest.mark.parametrize(
    "head", [b"HTTP/1.0 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n"]
)
def test_a_large_body_is_cut(head: bytes) -> None:
    answer = ask(head + b"x" * (MAX_RECORDED + 1), hang=True)
    assert isinstance(answer, HttpAnswer)
    assert (answer.body, answer.truncated) == (b"x" * MAX_RECORDED, True)


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (b"", "the connection was closed without an answer"),
        (b"220 hello\r\n", "the answer is not HTTP"),
        (b"HTTP/1.1 abc\r\n\r\n", "the answer is not HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", "the answer broke off"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", "the answer broke off"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", "the answer broke off"),
        (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 2000 + b"\r\n", "got more than"),
        (b"HTTP/1.1 200 OK\r\nA: " + b"b" * 100_000 + b"\r\n\r\n", "got more than"),
    ],
)
def test_what_is_no_answer(response: bytes, reason: str) -> None:
    answer = ask(response)
    assert isinstance(answer, Failure)
    assert answer.reason.startswith(reason)


@pytest.mark.parametrize(
    "response",
    [
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab",
        b"HTTP/1.0 200 OK\r\n\r\nlooks whole",
    ],
)
def test_one_that_hangs_is_given_up(response: bytes) -> None:
    answer = ask(response, hang=True, seconds=0.2)
    assert isinstance(answer, Failure)
    assert answer.reason == "no whole answer within 0.2 seconds"


def test_a_greeting() -> None:
    for text in (b"220 hello\r\n", b"", b"x" * (MAX_FIRST + 5)):
        ours, theirs = socket.socketpair()
        with theirs:
            theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
            theirs.sendall(text)
            theirs.shutdown(socket.SHUT_WR)
            answer = greeting(ours, 5)
        assert (answer.accepted, answer.first) == (True, text[:MAX_FIRST])
