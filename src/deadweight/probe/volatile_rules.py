"""What may change from one run to the next, as data.

A rule says of what shape a volatile token is, and when a change of it is excused:

ALWAYS   nothing else is ever said in that place (the header ``Date``)
NEAR     a time, close to when it was recorded, that kept pace with the clock
LEARNED  only where two recordings of the original differ in this very token; times must keep pace as well

Named groups: `token` is the part that may change, by default all of the match; `kept` may not change; the others
are the parts of a time. A zone or offset is never part of a token: another one is another answer. A date without a
time has no rule, for one day off is what a wrong time zone looks like.

Every pattern begins and ends with a guard, or what stands before and after is part of its own shape: the half of a
word is no token. The guards refuse the marks of a token that was replaced, so that replacing twice changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

OPEN, CLOSE = "⟨", "⟩"
ALWAYS, NEAR, LEARNED = "always", "near", "learned"


@dataclass(frozen=True, slots=True)
class Rule:
    """A shape of tokens that change from run to run, when that is excused, and why it is no sign of damage."""

    name: str
    pattern: str
    reason: str
    when: str = LEARNED
    headers: frozenset[str] = frozenset()
    """The headers (in lower case) whose values it is for; none if it is for every text."""


_START = rf"(?<![\w{CLOSE}])"
_END = rf"(?![\w{OPEN}])"
# A zone may follow without a space.
_TIME_END = rf"(?![\d:{OPEN}])(?![.,][\d{OPEN}])"
_YEAR = r"(?P<year>\d{4})"
_MONTH_NAME = r"(?P<month_name>Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_WEEKDAY = r"(?P<weekday>Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_DAY = r"(?P<day>\d\d|[ ]?\d)"
_SECOND = r":(?P<second>[0-6]\d)(?:[.,]\d{1,9})?"
_CLOCK = rf"(?P<hour>[0-2]?\d):(?P<minute>[0-5]\d){_SECOND}"
_HOUR_MINUTE = rf"(?P<hour>[0-2]?\d):(?P<minute>[0-5]\d)(?:{_SECOND})?"
_HALF = r"(?:[ ](?P<half>[AP]M))?"
_ZONE = r"(?:[ ](?P<kept>[A-Za-z][A-Za-z/_-]*|[+-]\d\d(?::?\d\d)?))?"

RULES: tuple[Rule, ...] = (
    Rule(
        "time",
        rf"{_START}{_YEAR}[-/](?P<month>[01]\d)[-/](?P<day>[0-3]\d)(?:[T ]|,[ ]){_HOUR_MINUTE}{_TIME_END}",
        "RFC 3339, ISO 8601 and most logs",
        NEAR,
    ),
    Rule(
        "log time",
        rf"{_START}{_DAY}/{_MONTH_NAME}/{_YEAR}:{_CLOCK}{_TIME_END}",
        "the common log format of web servers",
        NEAR,
    ),
    Rule(
        "mail time",
        rf"{_START}(?:{_WEEKDAY},[ ])?{_DAY}[ -]{_MONTH_NAME}[ -]{_YEAR}[ ]{_HOUR_MINUTE}{_TIME_END}",
        "RFC 5322 and HTTP (RFC 9110, section 5.6.7), lists of files, Redis",
        NEAR,
    ),
    Rule(
        "ctime",
        rf"{_START}{_WEEKDAY}[ ]+{_MONTH_NAME}[ ]+{_DAY}[ ]{_CLOCK}{_HALF}{_ZONE}[ ]{_YEAR}{_TIME_END}",
        "ctime() and date; the zone between time and year is kept",
        NEAR,
    ),
    Rule(
        "syslog time",
        rf"{_START}{_MONTH_NAME}[ ]{_DAY}[ ]{_HOUR_MINUTE}{_TIME_END}",
        "syslog (RFC 3164) and ls -l leave out the year",
        NEAR,
    ),
    Rule("clock", rf"{_START}(?<!:){_CLOCK}{_TIME_END}", "a time of day without a date"),
    Rule(
        "epoch",
        rf"{_START}(?<![.-])(?P<epoch>\d{{10}})(?:\d{{3}}|\d{{6}}|\d{{9}})?(?:\.\d{{1,9}})?{_END}(?!\.[\d{OPEN}])",
        "seconds since 1970, and their thousandths, millionths and billionths",
        NEAR,
    ),
    Rule(
        "uuid",
        rf"{_START}[0-9a-fA-F]{{8}}-(?:[0-9a-fA-F]{{4}}-){{3}}[0-9a-fA-F]{{12}}{_END}",
        "RFC 9562; most are random",
    ),
    Rule(
        "address in memory", rf"{_START}0x[0-9a-fA-F]{{8,16}}{_END}", "address spaces are laid out at random"
    ),
    Rule(
        "hex id",
        rf"{_START}(?=[0-9]*[a-fA-F])(?=[a-fA-F]*[0-9])(?:[0-9a-f]{{16,}}+|[0-9A-F]{{16,}}+){_END}",
        "ids of requests, traces and containers; as many digits as before",
    ),
    Rule(
        "random word",
        rf"(?<![\w+{CLOSE}-])(?=[A-Za-z_+-]*\d)[A-Za-z0-9_+-]{{20,}}+={{0,2}}+{_END}",
        "nonces, tokens against forgery, signatures; as many characters as before",
    ),
    Rule(
        "IPv6 address",
        rf"(?<![\w:.{CLOSE}])\[?(?:(?:[0-9a-fA-F]{{1,4}}:){{7}}[0-9a-fA-F]{{1,4}}"
        rf"|(?:[0-9a-fA-F]{{1,4}}:){{1,6}}(?::[0-9a-fA-F]{{1,4}}){{1,6}}|::1)(?:\]:\d{{1,5}})?(?![\w:{OPEN}])",
        "containers and clients get addresses as they come",
    ),
    Rule(
        "IPv4 address",
        rf"(?<![\w.{CLOSE}])(?:\d{{1,3}}\.){{3}}\d{{1,3}}(?::\d{{1,5}})?(?![\w{OPEN}])(?!\.[\d{OPEN}])",
        "containers and clients get addresses and ports as they come",
    ),
    Rule(
        "port", rf"{_START}localhost:(?P<token>\d{{5}}){_END}", "ports for one connection, and forwarded ones"
    ),
    Rule(
        "duration",
        rf"(?<![\w.{CLOSE}-])(?:\d{{1,6}}h)?(?:\d{{1,6}}m(?=\d))?\d{{1,12}}(?:\.\d{{1,12}})?(?:e-\d\d?)?"
        rf"[ ]?(?:ns|us|µs|μs|ms|sec|secs|seconds|milliseconds|s){_END}",
        "how long something took",
    ),
    Rule("pid", r"[A-Za-z_)]\[(?P<token>\d{1,7})(?=\]:)", "processes are numbered as they start: sshd[123]:"),
    Rule("pid", r"(?<=\] )\[(?P<token>\d{1,7})(?=\] [\[A-Z])", "the same, as Gunicorn writes it"),
    Rule(
        "pid",
        rf"{_START}(?P<token>\d{{1,7}}#\d{{1,7}})(?=: )",
        "the same, with the thread, as nginx writes it",
    ),
    Rule(
        "pid",
        rf"{_START}(?:pid|PID)\"?[ ]?[=:]?[ ]?(?P<token>\d{{1,7}}){_END}(?!\.[\d{OPEN}])",
        "the same: pid=123",
    ),
    Rule(
        "temporary name",
        rf"(?:/var)?/tmp/(?P<token>[\w.-]{{4,}}\w){_END}",
        "mkstemp() and its like",
    ),
)

_HTTP_DATE = rf"{_WEEKDAY},[ ]{_DAY}[ -]{_MONTH_NAME}[ -]{_YEAR}[ ]{_CLOCK}(?=[ ]GMT)"

HEADER_RULES: tuple[Rule, ...] = (
    Rule(
        "date of the answer",
        r"\A[A-Z][a-z]{2},[ ]\d\d[ ][A-Z][a-z]{2}[ ]\d{4}[ ]\d\d:\d\d:\d\d(?=[ ]GMT\Z)",
        "when the answer was made (RFC 9110, section 6.6.1)",
        ALWAYS,
        frozenset({"date"}),
    ),
    Rule(
        "time in a header",
        _HTTP_DATE,
        "made from the time of the answer, so that it keeps pace with it, however far ahead it lies",
        ALWAYS,
        frozenset({"expires", "last-modified", "set-cookie"}),
    ),
    Rule("age", r"\A\d{1,10}\Z", "seconds in a cache (RFC 9111, section 5.1)", ALWAYS, frozenset({"age"})),
    Rule(
        "time taken",
        r"(?<![\w.])\d{1,12}(?:\.\d{1,12})?(?!\d)",
        "how long the answer took",
        ALWAYS,
        frozenset({"server-timing", "x-process-time", "x-response-time", "x-runtime"}),
    ),
    Rule(
        "cookie",
        r"\A[^=;\s]+=(?P<token>[^;\s]+)",
        "sessions have random values; name and attributes are kept, and that there is a value",
        headers=frozenset({"set-cookie"}),
    ),
    Rule(
        "id of the answer",
        r"\A\S+\Z",
        "ids of requests and traces; tags made from bodies that change (RFC 9110, section 8.8.3)",
        headers=frozenset(
            {
                "cf-ray",
                "etag",
                "request-id",
                "traceparent",
                "x-amzn-trace-id",
                "x-correlation-id",
                "x-request-id",
            }
            | {"x-trace-id"}
        ),
    ),
)
