"""Answers that are the same, and broken ones that must be told apart."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from deadweight.errors import InvalidDocument
from deadweight.oci import strict_json
from deadweight.probe.compare import compare
from deadweight.probe.excerpt import MAX_WIDTH, excerpt
from deadweight.probe.observation import (
    MAX_RECORDED,
    ExitAnswer,
    Failure,
    HttpAnswer,
    Observation,
    TcpAnswer,
    bounded,
    from_json,
    to_json,
)

AT = int(datetime(2026, 11, 24, 22, 25, 9, tzinfo=UTC).timestamp())

NGINX = HttpAnswer(
    200,
    "OK",
    (
        ("Server", "nginx/1.27.3"),
        ("Date", "Tue, 24 Nov 2026 22:25:09 GMT"),
        ("Content-Type", "text/html"),
        ("Content-Length", "85"),
        ("Last-Modified", "Tue, 26 Nov 2024 15:55:00 GMT"),
        ("Connection", "keep-alive"),
        ("ETag", '"6745ef54-267"'),
        ("Accept-Ranges", "bytes"),
    ),
    b"<!DOCTYPE html>\n<html>\n<head>\n<title>Welcome to nginx!</title>\n</head>\n<body>\n</body></html>\n",
    at=AT,
)
FLASK_500 = HttpAnswer(
    500,
    "INTERNAL SERVER ERROR",
    (("Server", "Werkzeug/3.1.3 Python/3.13.1"), ("Content-Type", "text/html; charset=utf-8")),
    b"<!doctype html>\n<html lang=en>\n<title>500 Internal Server Error</title>\n<h1>Internal Server Error</h1>\n"
    b"<p>The server encountered an internal error and was unable to complete your request. Either the server is "
    b"overloaded or there is an error in the application.</p>\n",
    at=AT,
)
EXPRESS_404 = HttpAnswer(
    404,
    "Not Found",
    (("X-Powered-By", "Express"), ("Content-Type", "text/html; charset=utf-8")),
    b'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>Error</title>\n</head>\n<body>\n'
    b"<pre>Cannot GET /</pre>\n</body>\n</html>\n",
    at=AT,
)


def api(at: int, request: str, took: str, **changes: object) -> HttpAnswer:
    body = {
        "count": 144,
        "items": ["a", "b", "c"],
        "name": "Müller",
        "now": datetime.fromtimestamp(at, UTC).isoformat(),
        "local": datetime.fromtimestamp(at + 3600, UTC).strftime("%Y-%m-%d %H:%M:%S CET"),
        "request": request,
        "took": took,
        "limit": "30s",
    }
    body.update(changes)
    text = json.dumps({key: value for key, value in body.items() if value is not None}, ensure_ascii=False)
    headers = (
        ("Content-Type", "application/json"),
        ("X-Request-Id", request),
        ("Set-Cookie", f"sid={request}; Secure"),
    )
    return HttpAnswer(200, "OK", headers, text.encode(), at=at)


IDS = (
    "0a1b2c3d-9dad-41d1-80b4-00c04fd430c8",
    "6ba7b810-9dad-41d1-80b4-00c04fd430c8",
    "550e8400-e29b-41d4-a716-446655440000",
)
API = api(AT, IDS[0], "1.2ms")
API_AGAIN = api(AT + 20, IDS[1], "1.4ms")
API_FOUND = api(AT + 90, IDS[2], "0.9ms")

PSQL = ExitAnswer(0, b" id | name  \n----+-------\n  1 | alice\n  2 | bob\n(2 rows)\n\n", b"", at=AT)
DATE = ExitAnswer(0, b"Tue Nov 24 23:25:09 CET 2026\n", b"", at=AT)
LOG = b"2026-11-24 22:25:09,120 [7] INFO ready\n"
TRACEBACK = (
    b"Traceback (most recent call last):\n"
    b'  File "/app/main.py", line 3, in <module>\n    import yaml\n'
    b"ModuleNotFoundError: No module named 'yaml'\n"
)
WORKED = ExitAnswer(0, b"done: 12 files\n", LOG, at=AT)


def test_an_answer_like_the_original() -> None:
    assert compare(API, API_FOUND, [API_AGAIN]) == ()
    later = replace(
        NGINX,
        at=AT + 60,
        headers=tuple(
            (name.lower(), "Tue, 24 Nov 2026 22:26:09 GMT" if name == "Date" else value)
            for name, value in reversed(NGINX.headers)
            if name != "Connection"
        ),
    )
    assert compare(NGINX, later) == ()
    assert compare(DATE, ExitAnswer(0, b"Tue Nov 24 23:26:10 CET 2026\n", b"", at=AT + 61)) == ()
    assert compare(WORKED, replace(WORKED, stderr=LOG.replace(b"09,120", b"59,5"), at=AT + 50)) == ()


@pytest.mark.parametrize(
    "answer", [NGINX, FLASK_500, EXPRESS_404, API, PSQL, DATE, WORKED, TcpAnswer(True), Failure("x")]
)
def test_an_answer_is_like_itself(answer: Observation) -> None:
    assert compare(answer, answer) == ()
    assert from_json(strict_json.loads(strict_json.canonical(to_json(answer)), "x"), "x") == answer


def changed(answer: HttpAnswer, name: str, value: str | None) -> HttpAnswer:
    pairs = ((key, value if key == name else text) for key, text in answer.headers)
    return replace(answer, headers=tuple((key, text) for key, text in pairs if text is not None))


BROKEN: dict[str, tuple[Observation, Observation, str]] = {
    "an error page": (NGINX, replace(FLASK_500, at=AT), "status"),
    "an error page with status 200": (NGINX, replace(NGINX, body=FLASK_500.body), "body"),
    "another error": (
        EXPRESS_404,
        replace(EXPRESS_404, body=EXPRESS_404.body.replace(b"GET /", b"GET /x")),
        "body",
    ),
    "another status": (NGINX, replace(NGINX, status=204), "status"),
    "another reason": (NGINX, replace(NGINX, reason="Okay"), "reason"),
    "an empty body": (NGINX, replace(NGINX, body=b""), "body"),
    "half a body": (NGINX, replace(NGINX, body=NGINX.body[:40]), "body"),
    "a body that was cut": (NGINX, replace(NGINX, truncated=True), "truncated"),
    "another type": (
        NGINX,
        changed(NGINX, "Content-Type", "application/octet-stream"),
        "header content-type",
    ),
    "a missing header": (NGINX, changed(NGINX, "Content-Type", None), "header content-type"),
    "a new header": (NGINX, replace(NGINX, headers=(*NGINX.headers, ("X-Error", "1"))), "header x-error"),
    "another version": (NGINX, changed(NGINX, "Server", "nginx/1.27.4"), "header server"),
    "another file": (
        NGINX,
        changed(NGINX, "Last-Modified", "Thu, 01 Jan 1970 00:00:00 GMT"),
        "header last-modified",
    ),
    "another count": (API, api(AT + 90, IDS[2], "1ms", count=0), "body"),
    "a count as text": (API, api(AT + 90, IDS[2], "1ms", count="144"), "body"),
    "a shorter list": (API, api(AT + 90, IDS[2], "1ms", items=["a", "b"]), "body"),
    "an empty list": (API, api(AT + 90, IDS[2], "1ms", items=[]), "body"),
    "a missing key": (API, api(AT + 90, IDS[2], "1ms", name=None), "body"),
    "a null": (API, replace(API_FOUND, body=API_FOUND.body.replace(b"144", b"null")), "body"),
    "a lost umlaut": (API, api(AT + 90, IDS[2], "1ms", name="M?ller"), "body"),
    "another encoding": (
        API,
        replace(API_FOUND, body=API_FOUND.body.decode().encode("latin-1")),
        "body",
    ),
    "another limit": (API, api(AT + 90, IDS[2], "1ms", limit="0s"), "body"),
    "an id that is none": (API, api(AT + 90, "", "1ms"), "body"),
    "a time that is none": (API, api(AT + 90, IDS[2], "1ms", now="1970-01-01T00:00:00+00:00"), "body"),
    "an offset": (
        API,
        api(
            AT + 90, IDS[2], "1ms", now=datetime.fromtimestamp(AT + 90, UTC).isoformat().replace("+00", "+01")
        ),
        "body",
    ),
    "another zone by the clock alone": (
        API,
        api(
            AT + 90,
            IDS[2],
            "1ms",
            local=datetime.fromtimestamp(AT + 90, UTC).strftime("%Y-%m-%d %H:%M:%S CET"),
        ),
        "body",
    ),
    "a session that is empty": (API, changed(API_FOUND, "Set-Cookie", "sid=; Secure"), "header set-cookie"),
    "an insecure session": (API, changed(API_FOUND, "Set-Cookie", "sid=abc"), "header set-cookie"),
    "a zone without its data": (DATE, replace(DATE, stdout=b"Tue Nov 24 22:25:09 Europe 2026\n"), "stdout"),
    "a zone that is UTC": (DATE, replace(DATE, stdout=b"Tue Nov 24 22:25:09 UTC 2026\n"), "stdout"),
    "a locale that is missing": (DATE, replace(DATE, stdout=b"Di 24. Nov 23:25:09 CET 2026\n"), "stdout"),
    "fewer rows": (
        PSQL,
        replace(PSQL, stdout=PSQL.stdout.replace(b"  2 | bob\n(2 rows)", b"(1 row)")),
        "stdout",
    ),
    "no output": (PSQL, replace(PSQL, stdout=b""), "stdout"),
    "a traceback": (WORKED, ExitAnswer(1, b"", TRACEBACK, at=AT), "exit code"),
    "a warning": (WORKED, replace(WORKED, stderr=LOG + b"warning: no CA certificates\n"), "stderr"),
    "another module": (
        ExitAnswer(1, b"", TRACEBACK),
        ExitAnswer(1, b"", TRACEBACK.replace(b"'yaml'", b"'json'")),
        "stderr",
    ),
    "a signal": (WORKED, replace(WORKED, code=-11), "exit code"),
    "a refused connection": (TcpAnswer(True), TcpAnswer(False), "accepted"),
    "another greeting": (
        TcpAnswer(True, b"220 mail ESMTP\r\n"),
        TcpAnswer(True, b"421 busy\r\n"),
        "first bytes",
    ),
    "no answer": (NGINX, Failure("connection refused"), "answer"),
    "another failure": (Failure("connection refused"), Failure("timed out"), "failure"),
    "another kind": (TcpAnswer(True), PSQL, "answer"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_answers_are_told_apart(name: str) -> None:
    expected, found, what = BROKEN[name]
    repeats = [API_AGAIN] if expected is API else [expected, replace(expected, at=expected.at + 20)]
    for recordings in ([], repeats):
        assert what in [difference.what for difference in compare(expected, found, recordings)]


def test_what_is_shown() -> None:
    (difference,) = compare(PSQL, replace(PSQL, stdout=PSQL.stdout.replace(b"bob", b"eve")))
    assert (difference.what, difference.expected, difference.found) == ("stdout", "  2 | bob", "  2 | eve")
    assert [(row.number, row.same) for row in difference.rows] == [
        (1, True),
        (2, True),
        (3, True),
        (4, False),
        (5, True),
        (6, True),
        (7, True),
    ]
    (difference,) = compare(NGINX, changed(NGINX, "ETag", None))
    assert (difference.expected, difference.found, difference.rows) == ('"6745ef54-267"', "(none)", ())
    assert [(one.expected, one.found) for one in compare(PSQL, TcpAnswer(False))] == [
        ("exit code 0", "no connection")
    ]
    assert [one.found for one in compare(PSQL, NGINX)] == ["200 OK"]


def test_changes_that_are_excused_do_not_hide_the_one_that_is_not() -> None:
    expected = ExitAnswer(0, b"2026-11-24 22:25:09 start\ncount 144\n", b"", at=AT)
    found = ExitAnswer(0, b"2026-11-24 22:25:19 start\ncount 0\n", b"", at=AT + 10)
    (difference,) = compare(expected, found)
    assert [(row.expected, row.found) for row in difference.rows[:2]] == [
        ("⟨time⟩ start", "⟨time⟩ start"),
        ("count 144", "count 0"),
    ]


def test_an_original_that_is_not_steady_differs_from_itself() -> None:
    first, second = (ExitAnswer(0, text, b"", at=AT) for text in (b"{'a', 'b'}", b"{'b', 'a'}"))
    assert compare(first, second, [second])
    assert compare(API, API_AGAIN, [API_AGAIN]) == ()


def test_the_length_counts_where_the_body_does_not_tell() -> None:
    head = HttpAnswer(200, "OK", (("Content-Length", "615"),), b"")
    assert compare(head, replace(head, headers=(("Content-Length", "0"),)))
    body = replace(head, body=b"x")
    assert compare(body, replace(body, headers=(("Transfer-Encoding", "chunked"),))) == ()


def test_headers_that_the_connection_names_are_left_out() -> None:
    one = HttpAnswer(200, "OK", (("Connection", "close, X-Hop"), ("X-Hop", "1")), b"x")
    assert compare(one, replace(one, headers=(("Connection", "X-Hop"), ("X-Hop", "2")))) == ()


def test_excerpts_of_long_lines_and_controls() -> None:
    assert excerpt("same", "same") == ()
    (row,) = excerpt("a" * 500 + "x" + "b" * 500, "a" * 500 + "y" + "b" * 500)
    assert row.expected == "..." + "a" * 40 + "x" + "b" * (MAX_WIDTH - 41) + "..."
    (row,) = excerpt("\x1b[2J\udcff", "\u202e")
    assert (row.expected, row.found) == ("\\x1b[2J\\xff", "\\u202e")
    rows = excerpt("a\nb", "a")
    assert [(row.expected, row.found, row.same) for row in rows] == [("a", "a", True), ("b", None, False)]


def test_what_is_recorded_is_bounded() -> None:
    assert bounded(b"x" * MAX_RECORDED) == (b"x" * MAX_RECORDED, False)
    assert bounded(b"x" * (MAX_RECORDED + 1)) == (b"x" * MAX_RECORDED, True)


def test_text_stays_readable_and_other_bytes_whole() -> None:
    value = to_json(ExitAnswer(0, "Müller".encode(), b"\xff\0"))
    assert (value["stdout"], value["stderr"]) == ({"text": "Müller"}, {"base64": "/wA="})


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "x"},
        {"kind": None},
        {"code": "0"},
        {"code": True},
        {"at": -1},
        {"truncated": 1},
        {"stdout": {}},
        {"stdout": "x"},
        {"stdout": {"text": 3}},
        {"stdout": {"base64": "?"}},
        {"stdout": {"base64": "ü"}},
        {"stdout": {"text": "a", "base64": "YQ=="}},
        {"stdout": {"text": "a" * (MAX_RECORDED + 1)}},
        {"kind": "http", "status": 200, "headers": "x"},
        {"kind": "http", "status": 200, "headers": [["a"]]},
        {"kind": "http", "status": 200, "headers": [["a", 1]]},
        {"kind": "http", "status": 200, "headers": [["a 2", "b"]]},
        {"kind": "tcp"},
    ],
)
def test_evidence_that_is_none(change: dict[str, object]) -> None:
    with pytest.raises(InvalidDocument, match="evidence"):
        from_json({**to_json(PSQL), **change}, "evidence")


@pytest.mark.parametrize("reason", ["\x7f", "one\ntwo", "\x1b[2J"])
def test_what_a_probe_ended_with_steers_no_terminal(reason: str) -> None:
    (difference,) = compare(TcpAnswer(False, b"", 0), Failure(reason, 0))
    assert difference.what == "answer"
    assert difference.found.isprintable()
