"""Formats that tell a secret by itself: private keys, tokens whose issuer is in them, passwords in URLs.

Nothing here returns a value. Sources: RFC 7468 (PEM), OpenSSH's PROTOCOL.key, RFC 7292 (PKCS #12), the Java Key Store as
its class in OpenJDK writes it, and the formats of tokens that their issuers publish.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

_PEM = re.compile(
    rb"-----BEGIN ([A-Z0-9 ]{0,40})PRIVATE KEY(?: BLOCK)?-----\s*((?:(?!-----)[A-Za-z0-9+/=:,.()\- \r\n]){64})"
)
_OPENSSH_PLAIN = b"b3BlbnNzaC1rZXktdjEAAAAABG5vbmU"
"""How the body begins of an OpenSSH key whose cipher is "none"."""
_KEY_BAGS = (b"\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01\x01", b"\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01\x02")
"""The object identifiers of PKCS #12 for a bag with a private key, plain or encrypted."""


class _Token(NamedTuple):
    """How the tokens of one issuer look: an expression, and what is in each of them: one of `marks`."""

    kind: str
    marks: tuple[bytes, ...]
    form: bytes


_TOKENS = (
    _Token("AWS access key", (b"AKIA", b"ASIA"), rb"(?:AKIA|ASIA)[A-Z2-7]{16}(?![A-Za-z0-9])"),
    _Token("GitHub token", (b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_"), rb"gh[pousr]_[A-Za-z0-9]{36,255}"),
    _Token("GitHub token", (b"github_pat_",), rb"github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}"),
    _Token(
        "GitLab token",
        (b"glpat-", b"gldt-", b"glrt-", b"glptt-", b"glsoat-"),
        rb"gl(?:pat|dt|rt|ptt|soat)-[A-Za-z0-9_\-]{20,255}",
    ),
    _Token("Slack token", (b"xox",), rb"xox[abposr]-[0-9]{8,20}-[A-Za-z0-9\-]{10,255}"),
    _Token("Slack token", (b"xapp-",), rb"xapp-[0-9]-[A-Z0-9]{8,20}-[0-9]{8,20}-[a-f0-9]{32,128}"),
    _Token("npm token", (b"npm_",), rb"npm_[A-Za-z0-9]{36}(?![A-Za-z0-9])"),
    _Token("PyPI token", (b"pypi-AgEI",), rb"pypi-AgEI[A-Za-z0-9_\-]{50,255}"),
    _Token("RubyGems token", (b"rubygems_",), rb"rubygems_[a-f0-9]{48}(?![A-Za-z0-9])"),
    _Token("Docker Hub token", (b"dckr_",), rb"dckr_(?:pat|oat)_[A-Za-z0-9_\-]{27,64}"),
    _Token("Stripe key", (b"k_live_",), rb"[sr]k_live_[A-Za-z0-9]{24,255}"),
    _Token("Google API key", (b"AIza",), rb"AIza[A-Za-z0-9_\-]{35}(?![A-Za-z0-9_\-])"),
    _Token("SendGrid key", (b"SG.",), rb"SG\.[A-Za-z0-9_\-]{22}\.[A-Za-z0-9_\-]{43}"),
    _Token("DigitalOcean token", (b"_v1_",), rb"do[opr]_v1_[a-f0-9]{64}"),
    _Token("Hugging Face token", (b"hf_",), rb"hf_[A-Za-z]{34}(?![A-Za-z0-9])"),
    _Token("HashiCorp Vault token", (b"hvs.", b"hvb."), rb"hv[sb]\.[A-Za-z0-9_\-]{90,300}"),
    _Token("Terraform Cloud token", (b".atlasv1.",), rb"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_\-]{60,80}"),
    _Token(
        "OpenAI key",
        (b"T3BlbkFJ",),
        rb"sk-(?:[a-z]{1,12}-)?[A-Za-z0-9_\-]{20,80}T3BlbkFJ[A-Za-z0-9_\-]{20,80}",
    ),
    _Token("Anthropic key", (b"sk-ant-",), rb"sk-ant-[a-z0-9]{5,8}-[A-Za-z0-9_\-]{80,120}"),
    _Token("New Relic key", (b"NRAK-",), rb"NRAK-[A-Z0-9]{27}(?![A-Za-z0-9])"),
    _Token("Shopify token", (b"shp",), rb"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}(?![A-Za-z0-9])"),
    _Token("Pulumi token", (b"pul-",), rb"pul-[a-f0-9]{40}(?![A-Za-z0-9])"),
    _Token("age key", (b"AGE-SECRET-KEY-1",), rb"AGE-SECRET-KEY-1[A-Z0-9]{58}"),
    _Token("Azure storage key", (b"AccountKey=",), rb"AccountKey=[A-Za-z0-9+/]{86}=="),
)
_EXAMPLES = (b"EXAMPLE", b"XXXXXXXX", b"xxxxxxxx", b"00000000000000", b"12345678901234")
_URL = re.compile(rb"[a-z][a-z0-9+.\-]{1,20}://[^\s/:@\"'<>]{0,100}:([^\s/@\"'<>]{3,200})@", re.IGNORECASE)
_PLACEHOLDER = re.compile(
    r"\$[{(A-Za-z_].*|<.*|%.*%|\{\{.*|\[.*\]|[x*.?#\-]+|(?:true|false|yes|no|on|off|null|nil|undefined|[0-9]{1,5})"
    r"|(?:change.?me|change.?it|your|my.?(?:password|secret|token|api)|example|dummy|sample|placeholder|replace|insert|enter"
    r"|to.?do|none|redacted|not.?set|unset|xxx).*|secret|password|passwd|token",
    re.IGNORECASE | re.DOTALL,
)


def is_placeholder(value: str) -> bool:
    """Whether `value` stands for a secret that is put in later, or for none."""
    bare = value.strip().strip("\"',;").strip()
    return len(bare) < 4 or _PLACEHOLDER.fullmatch(bare) is not None


def private_keys(data: bytes) -> Iterator[str]:
    """The kinds of private keys in PEM that `data` has, with at least the start of their body."""
    for match in _PEM.finditer(data):
        label = match[1].decode("ascii").strip()
        encrypted = label == "ENCRYPTED" or b"ENCRYPTED" in match[2]
        if label == "OPENSSH":
            encrypted = not match[2].startswith(_OPENSSH_PLAIN)
        name = "private key" if label in ("", "ENCRYPTED", "ANY") else f"{label} private key"
        yield f"{name} (encrypted)" if encrypted else name


def tokens(data: bytes) -> Iterator[str]:
    """The kinds of tokens in `data` that tell their issuer, and of passwords in URLs."""
    for token in _TOKENS:
        # The expression tries every position; most files have none of the marks, and a search for bytes is a thousand
        # times faster.
        if any(mark in data for mark in token.marks) and any(
            not any(example in found for example in _EXAMPLES) for found in _words(token.form, data)
        ):
            yield token.kind
    urls = _URL.finditer(data) if b"://" in data and b"@" in data else ()
    for match in urls:
        if not is_placeholder(match[1].decode("utf-8", "replace")):
            yield "password in a URL"


def key_stores(data: bytes) -> Iterator[str]:
    """The kind of a file of keys in a binary format, if `data` is one with a private key."""
    if data.startswith(b"PuTTY-User-Key-File-"):
        yield "PuTTY private key"
    elif data[:4] in (b"\xfe\xed\xfe\xed", b"\xce\xce\xce\xce"):
        if _java_entry(data) in (1, 3):
            yield "Java key store with a key"
    elif data[:1] == b"\x30" and any(bag in data for bag in _KEY_BAGS):
        yield "PKCS #12 store with a private key"
    elif data[:4] == b"\x03\xd9\xa2\x9a":
        yield "KeePass database"


def _java_entry(data: bytes) -> int:
    """The tag of the first entry that is no trusted certificate: 1 for a private, 3 for a secret key; 0 for none."""
    position = 12
    for _ in range(min(int.from_bytes(data[8:12], "big"), 10_000)):
        tag = int.from_bytes(data[position : position + 4], "big")
        if tag != 2:
            return tag
        position += 4
        position += 2 + int.from_bytes(data[position : position + 2], "big") + 8  # alias, time
        position += 2 + int.from_bytes(data[position : position + 2], "big")  # type of the certificate
        position += 4 + int.from_bytes(data[position : position + 4], "big")
    return 0


def _words(form: bytes, data: bytes) -> Iterator[bytes]:
    """What in `data` has the form and is not the rest of a longer word."""
    search = _compiled(form).search
    position = 0
    while match := search(data, position):
        before = data[max(0, match.start() - 1) : match.start()]
        if before.isalnum() or before == b"_":
            position = match.start() + 1
        else:
            yield match[0]
            position = match.end()


@cache
def _compiled(form: bytes) -> re.Pattern[bytes]:
    return re.compile(form)
