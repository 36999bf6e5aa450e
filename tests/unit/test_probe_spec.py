"""Probes as they are written."""

from __future__ import annotations

import pytest

from deadweight.errors import UsageError
from deadweight.probe.spec import Exec, Http, Probe, Script, Tcp, parse_probe


@pytest.mark.parametrize(
    ("text", "probe"),
    [
        ("http:GET /", Http("GET", "/")),
        ("http:GET /a?b=c:d", Http("GET", "/a?b=c:d")),
        ('http:POST /items {"a": [1, 2]}', Http("POST", "/items", body='{"a": [1, 2]}')),
        ("http:8080:GET /health", Http("GET", "/health", port=8080)),
        ("http:8080:PUT /x a  b", Http("PUT", "/x", body="a  b", port=8080)),
        ("exec:nginx -t", Exec(("nginx", "-t"))),
        ("exec:psql -c 'select 1; select 2'", Exec(("psql", "-c", "select 1; select 2"))),
        ("exec:echo '$HOME'", Exec(("echo", "$HOME"))),
        ("exec:date | wc -l", Exec(shell="date | wc -l")),
        ('exec:echo "$HOME"', Exec(shell='echo "$HOME"')),
        ("""exec:echo "it's $HOME's" """, Exec(shell="""echo "it's $HOME's" """)),
        ("exec:TZ=Europe/Berlin date", Exec(shell="TZ=Europe/Berlin date")),
        ("exec:'A=1' x", Exec(("A=1", "x"))),
        ("exec:ls *.py", Exec(shell="ls *.py")),
        ("tcp:5432", Tcp(5432)),
        ("script:./smoke test.sh", Script("./smoke test.sh")),
    ],
)
def test_forms_and_back(text: str, probe: Probe) -> None:
    assert parse_probe(text) == probe
    assert parse_probe(str(probe)) == probe
    assert str(probe) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is no probe; write http:GET /path"),
        ("GET /", "is no probe"),
        ("htp:GET /", "did you mean http:"),
        ("HTTP:GET /", "did you mean http:"),
        ("http:", "has no method; write http:GET /path"),
        ("http:/health", "is no method"),
        ("http:get /", "'get' is no method; did you mean GET"),
        ("http:GET", "has no path that begins with '/'"),
        ("http:GET health", "has no path that begins with '/'"),
        ("http:GET /a b", "gives GET a body; write a space in the path as %20"),
        ("http:GET /a\r\nHost:x", "has a control character in its path"),
        ("http://localhost:80/", "is a URL; write port and path"),
        ("http:0:GET /", "'0' is no port; write a number from 1 to 65535"),
        ("http:65536:GET /", "is no port"),
        ("exec:", "has no command"),
        ("exec:echo 'a", "no closing quotation; close the quotation"),
        ("exec:a\0b", "holds a NUL character"),
        ("tcp:", "is no port"),
        ("tcp:http", "'http' is no port"),
        ("tcp:٣", "is no port"),
        ("script:", "names no file"),
    ],
)
def test_errors_name_the_text_and_say_what_to_write(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_probe(text)
    assert message in str(caught.value)
    assert str(caught.value).startswith("probe ")
    assert caught.value.remedy
