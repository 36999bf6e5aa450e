"""A registry that lies, stalls, floods and redirects, over real HTTP: one clear error each, in bounded time."""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deadweight.errors import (
    AuthenticationError,
    DeadweightError,
    DigestMismatch,
    InvalidDocument,
    LimitExceeded,
    NotFound,
    TransportError,
)
from deadweight.oci.strict_json import MAX_DOCUMENT
from deadweight.transport.base import Access
from deadweight.transport.registry.connection import Patience
from deadweight.transport.registry.destination import RegistryDestination
from deadweight.transport.registry.reference import parse_reference
from deadweight.transport.registry.session import Session
from deadweight.transport.registry.source import RegistrySource
from services.certificates import Authority
from services.hostile_registry import (
    HostileRegistry,
    challenge,
    cut_off,
    endless,
    endless_continue,
    honest,
    hostile_registry,
    redirect,
    refuse,
    send,
    silence,
    trickle_body,
    trickle_head,
)
from services.images import sample_image
from services.transfer import contents, descriptor_of, document_of, pulled, push, read_blob
from services.web import Request, Web, respond, serving

pytestmark = pytest.mark.registry

HASTE = Patience(
    connect=10, read=10, document=20, minimum_rate=1000, attempts=3, backoff=0.01, longest_wait=0.5
)
IMPATIENCE = replace(HASTE, read=0.5)
"""For what never answers."""
SECRET = "the-secret-password"
IMAGE = sample_image([{"file": bytes(range(256)) * 1000}], compression="uncompressed")
LAYER = IMAGE.layers[0]


@pytest.fixture
def hostile() -> Iterator[HostileRegistry]:
    with hostile_registry(IMAGE) as registry:
        yield registry


@pytest.fixture
def elsewhere() -> Iterator[Web]:
    """Another host, as far as credentials are concerned: another port."""
    with serving(lambda request, handler: respond(handler, 200, LAYER.data)) as web:
        yield web


@pytest.fixture
def access(hostile: HostileRegistry, tmp_path: Path) -> Access:
    path = tmp_path / "auth.json"
    auth = base64.b64encode(f"user:{SECRET}".encode()).decode()
    path.write_text(json.dumps({"auths": {hostile.host: {"auth": auth}}}))
    return Access(auth_file=path)


def source_of(hostile: HostileRegistry, access: Access, patience: Patience = HASTE) -> RegistrySource:
    target = parse_reference(hostile.location)
    return RegistrySource(target, access, Session(target, access, patience))


def refusal(
    hostile: HostileRegistry,
    access: Access,
    kind: type[DeadweightError] = DeadweightError,
    patience: Patience = HASTE,
) -> str:
    """The one line that reading the image ends with."""
    with source_of(hostile, access, patience) as source, pytest.raises(kind) as caught:
        pulled(source)
    text = str(caught.value)
    assert "\n" not in text
    assert SECRET not in repr(caught.value)
    assert len(text) < 600
    return text


def test_an_honest_registry_is_read(hostile: HostileRegistry, access: Access) -> None:
    with source_of(hostile, access) as source:
        assert pulled(source) == contents(IMAGE)


# Lies


def test_manifest_that_differs_from_the_stated_digest(hostile: HostileRegistry, access: Access) -> None:
    hostile.tricks["/manifests/latest"] = send(
        IMAGE.manifest.data, {"Docker-Content-Digest": "sha256:" + "0" * 64}
    )
    text = refusal(hostile, access, DigestMismatch)
    assert f"sent a manifest with the digest {IMAGE.manifest.digest} instead of sha256:000" in text


def test_manifest_that_differs_from_the_wanted_digest(hostile: HostileRegistry, access: Access) -> None:
    wanted = "sha256:" + "0" * 64
    hostile.tricks[wanted] = send(IMAGE.manifest.data)
    target = parse_reference(f"{hostile.host}/name@{wanted}")
    with RegistrySource(target, access, Session(target, access, HASTE)) as source:  # noqa: SIM117
        with pytest.raises(DigestMismatch, match=f"instead of {wanted}"):
            source.root()


def test_digest_header_that_is_none(hostile: HostileRegistry, access: Access) -> None:
    hostile.tricks["/manifests/latest"] = send(IMAGE.manifest.data, {"Docker-Content-Digest": "yes"})
    assert "'yes': is not a digest" in refusal(hostile, access, InvalidDocument)


def test_config_that_differs_from_its_descriptor(hostile: HostileRegistry, access: Access) -> None:
    other = IMAGE.config.data.replace(b"amd64", b"arm64")
    hostile.tricks[IMAGE.config.digest] = send(other)
    text = refusal(hostile, access, DigestMismatch)
    assert f"{IMAGE.config.digest}: the content has another digest, sha256:" in text
    hostile.tricks[IMAGE.config.digest] = send(other + b" ")
    assert "bytes instead of" in refusal(hostile, access, DigestMismatch)


def test_layer_of_another_length(hostile: HostileRegistry, access: Access) -> None:
    hostile.tricks[LAYER.digest] = send(LAYER.data + b"!")
    text = refusal(hostile, access, DigestMismatch)
    assert f"blob {LAYER.digest}: the registry sends {len(LAYER.data) + 1} bytes" in text


@pytest.mark.parametrize("what", ["/manifests/latest", IMAGE.config.digest, LAYER.digest])
def test_claim_of_ten_gigabytes(hostile: HostileRegistry, access: Access, what: str) -> None:
    hostile.tricks[what] = send(b"{}", {"Content-Length": str(10 << 30)})
    text = refusal(hostile, access)
    assert f"{MAX_DOCUMENT} bytes" in text or f"sends {10 << 30} bytes" in text


def test_page_instead_of_a_manifest(hostile: HostileRegistry, access: Access) -> None:
    hostile.tricks["/manifests/latest"] = send(b"<html>Log in to the network</html>")
    assert "is not valid JSON" in refusal(hostile, access, InvalidDocument)


def test_not_even_http(hostile: HostileRegistry, access: Access) -> None:
    hostile.tricks["/manifests/latest"] = lambda request, handler: void(handler.wfile.write(b"\0\1\2SSH\r\n"))
    assert "broke the connection, or does not speak HTTP" in refusal(hostile, access, TransportError)


def void(_: object) -> None:
    """For what is written and not counted."""


@pytest.mark.parametrize("length", ["-5", "many", "9" * 30])
def test_senseless_content_length(hostile: HostileRegistry, access: Access, length: str) -> None:
    hostile.tricks["/manifests/latest"] = send(b"{}", {"Content-Length": length})
    refusal(hostile, access, patience=IMPATIENCE)


# Floods


@pytest.mark.parametrize("what", ["/manifests/latest", IMAGE.config.digest])
def test_endless_document(hostile: HostileRegistry, access: Access, what: str) -> None:
    hostile.tricks[what] = endless
    assert f"sent more than {MAX_DOCUMENT} bytes where a small" in refusal(hostile, access, LimitExceeded)


def test_endless_layer_ends_where_it_should(hostile: HostileRegistry, access: Access) -> None:
    hostile.tricks[LAYER.digest] = endless
    with source_of(hostile, access) as source:
        assert len(read_blob(source, descriptor_of(LAYER))) == len(LAYER.data)


def test_endless_error(hostile: HostileRegistry, access: Access) -> None:
    hostile.tricks["/manifests/latest"] = partial(endless, status=418)
    assert refusal(hostile, access, TransportError).endswith("the registry answers with status 418")


def test_endless_headers(hostile: HostileRegistry, access: Access) -> None:
    many = {f"X-{number}": "x" * 60_000 for number in range(300)}
    hostile.tricks["/manifests/latest"] = send(b"{}", many)
    assert "broke the connection" in refusal(hostile, access, TransportError)


def test_descriptor_of_a_huge_config(hostile: HostileRegistry, access: Access) -> None:
    manifest = json.loads(IMAGE.manifest.data)
    manifest["config"]["size"] = 1 << 40
    hostile.tricks["/manifests/latest"] = send(json.dumps(manifest).encode())
    assert "deadweight reads at most" in refusal(hostile, access, LimitExceeded)
    assert len(hostile.web.requests) == 1


# Stalls


@pytest.mark.parametrize("stall", [silence, trickle_head, endless_continue])
def test_stalled_head(hostile: HostileRegistry, access: Access, stall: object) -> None:
    assert callable(stall)
    hostile.tricks["/manifests/latest"] = stall
    assert "gave no answer in time; try again later" in refusal(hostile, access, TransportError, IMPATIENCE)


def test_stalled_head_over_tls(tmp_path: Path) -> None:
    authority = Authority.create(tmp_path / "ca")
    with serving(trickle_head, authority.server_context()) as web:
        target = parse_reference(f"{web.host}/name")
        access = Access(ca_file=authority.certificate)
        with RegistrySource(target, access, Session(target, access, IMPATIENCE)) as source:  # noqa: SIM117
            with pytest.raises(TransportError, match=f"https://{web.host}: gave no answer in time"):
                source.root()


def test_stalled_handshake() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        target = parse_reference(f"127.0.0.1:{listener.getsockname()[1]}/name")
        session = Session(target, Access(), replace(HASTE, connect=0.3))
        with RegistrySource(target, Access(), session) as source:  # noqa: SIM117
            with pytest.raises(TransportError, match="gave no answer in time"):
                source.root()


def test_stalled_document(hostile: HostileRegistry, access: Access) -> None:
    hostile.tricks["/manifests/latest"] = trickle_body
    assert "took longer than 1 s" in refusal(hostile, access, TransportError, replace(HASTE, document=1))


def test_stalled_layer(hostile: HostileRegistry, access: Access) -> None:
    hostile.tricks[LAYER.digest] = trickle_body
    text = refusal(hostile, access, TransportError, replace(HASTE, read=1))
    assert "came to under 1000 bytes a second at byte" in text
    assert f"of {len(LAYER.data)} 3 times" in text


# Broken connections and overload


def test_broken_layer_is_resumed(hostile: HostileRegistry, access: Access) -> None:
    hostile.tricks[LAYER.digest] = cut_off(IMAGE, 100_000, times=2)
    with source_of(hostile, access) as source:
        assert read_blob(source, descriptor_of(LAYER)) == LAYER.data
    asked = [request.headers["Range"] for request in hostile.web.requests if LAYER.digest in request.path]
    assert asked == [None, "bytes=100000-", "bytes=200000-"]


def test_broken_layer_without_ranges(hostile: HostileRegistry, access: Access) -> None:
    trick = cut_off(IMAGE, 100_000, times=1)

    def answer(request: Request, handler: BaseHTTPRequestHandler) -> None:
        del request.headers["Range"]
        trick(request, handler)

    hostile.tricks[LAYER.digest] = answer
    with source_of(hostile, access) as source:
        assert read_blob(source, descriptor_of(LAYER)) == LAYER.data


def test_layer_that_always_breaks(hostile: HostileRegistry, access: Access) -> None:
    hostile.tricks[LAYER.digest] = cut_off(IMAGE, 10, times=99)
    text = refusal(hostile, access, TransportError)
    assert f"blob {LAYER.digest}: the download broke" in text
    assert f"byte 30 of {len(LAYER.data)}" in text
    assert sum(LAYER.digest in request.path for request in hostile.web.requests) == 3


def test_truncated_layer(hostile: HostileRegistry, access: Access) -> None:
    hostile.tricks[LAYER.digest] = lambda request, handler: respond(
        handler, 200, LAYER.data[:-1], {"Content-Length": str(len(LAYER.data)), "Connection": "close"}
    )
    with source_of(hostile, access) as source, pytest.raises(TransportError, match="try again"):
        read_blob(source, descriptor_of(LAYER))


def test_wrong_range(hostile: HostileRegistry, access: Access) -> None:
    hostile.tricks[LAYER.digest] = lambda request, handler: respond(
        handler, 206, LAYER.data, {"Content-Range": "bytes 5-9/10"}
    )
    assert "another range than asked for" in refusal(hostile, access, TransportError)


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_overload_that_passes(hostile: HostileRegistry, access: Access, status: int) -> None:
    def once(request: Request, handler: BaseHTTPRequestHandler) -> None:
        del hostile.tricks["/manifests/latest"]
        respond(handler, status, b"", {"Retry-After": "0"})

    hostile.tricks["/manifests/latest"] = once
    with source_of(hostile, access) as source:
        assert source.root().raw == IMAGE.manifest.data


def test_overload_that_stays(hostile: HostileRegistry, access: Access) -> None:
    hostile.tricks["/manifests/latest"] = refuse(503)
    assert "answers with status 503; try again later" in refusal(hostile, access, TransportError)
    assert len(hostile.web.requests) == HASTE.attempts


@pytest.mark.parametrize("wait", ["3600", "Fri, 31 Dec 2100 23:59:59 GMT"])
def test_limit_that_asks_for_more_patience_than_we_have(
    hostile: HostileRegistry, access: Access, wait: str
) -> None:
    body = b'{"errors":[{"code":"TOOMANYREQUESTS","message":"pull rate limit"}]}'
    hostile.tricks["/manifests/latest"] = refuse(429, {"Retry-After": wait}, body)
    text = refusal(hostile, access, TransportError)
    assert "too many requests (TOOMANYREQUESTS: pull rate limit); try again in " in text
    assert len(hostile.web.requests) == 1


# Redirects and credentials


def signed_in(request: Request) -> bool:
    return request.headers["Authorization"] is not None


def test_redirect_to_another_host_gets_no_credentials(
    hostile: HostileRegistry, elsewhere: Web, access: Access
) -> None:
    def trick(request: Request, handler: BaseHTTPRequestHandler) -> None:
        answer = (
            redirect(f"{elsewhere.url}/cdn?signature=x")
            if signed_in(request)
            else challenge('Basic realm="x"')
        )
        answer(request, handler)

    hostile.tricks[LAYER.digest] = trick
    with source_of(hostile, access) as source:
        assert read_blob(source, descriptor_of(LAYER)) == LAYER.data
    assert [signed_in(request) for request in hostile.web.requests] == [False, True]
    assert [signed_in(request) for request in elsewhere.requests] == [False]


def test_challenge_of_another_host_gets_no_credentials(hostile: HostileRegistry, access: Access) -> None:
    with serving(challenge('Basic realm="x"')) as thief:
        hostile.tricks[LAYER.digest] = redirect(f"{thief.url}/blob")
        refusal(hostile, access, AuthenticationError)
        assert [signed_in(request) for request in thief.requests] == [False]


def test_upload_on_another_host_gets_no_credentials(
    hostile: HostileRegistry, elsewhere: Web, access: Access
) -> None:
    def begin(request: Request, handler: BaseHTTPRequestHandler) -> None:
        answer = refuse(202, {"Location": f"{elsewhere.url}/upload?state=1"})
        (answer if signed_in(request) else challenge('Basic realm="x"'))(request, handler)

    hostile.tricks["/blobs/uploads/"] = begin
    target = parse_reference(hostile.location)
    with RegistryDestination(target, access, Session(target, access, HASTE)) as destination:  # noqa: SIM117
        with pytest.raises(TransportError, match=f"{elsewhere.url} answers with status 200"):
            destination.put_blob(iter([LAYER.data]), LAYER.media_type, None)
    assert [request.method for request in elsewhere.requests] == ["PATCH", "DELETE"]
    assert not any(map(signed_in, elsewhere.requests))


def test_endless_redirects(hostile: HostileRegistry, access: Access) -> None:
    hostile.tricks["/manifests/latest"] = redirect("/v2/name/manifests/latest")
    assert "redirects more than 5 times" in refusal(hostile, access, TransportError)


@pytest.mark.parametrize(
    "location", ["", "ftp://127.0.0.1/x", "http://u:p@127.0.0.1/", "http://[::1/", "file:///etc/passwd"]
)
def test_senseless_redirect(hostile: HostileRegistry, access: Access, location: str) -> None:
    hostile.tricks["/manifests/latest"] = redirect(location)
    text = refusal(hostile, access, TransportError)
    assert "is not an HTTP address" in text or "does not say where to" in text


def test_redirect_from_tls_to_plain_http(elsewhere: Web, tmp_path: Path) -> None:
    authority = Authority.create(tmp_path / "ca")
    with serving(redirect(f"{elsewhere.url}/manifest?signature=x"), authority.server_context()) as web:
        target = parse_reference(f"{web.host}/name")
        access = Access(ca_file=authority.certificate)
        with RegistrySource(target, access, Session(target, access, HASTE)) as source:  # noqa: SIM117
            with pytest.raises(TransportError) as caught:
                source.root()
    assert f"sends us from TLS to plain HTTP, at {elsewhere.url}/manifest; its proxy" in str(caught.value)
    assert elsewhere.requests == []


def test_token_realm_in_plain_http_elsewhere(hostile: HostileRegistry, access: Access) -> None:
    hostile.tricks["/manifests/latest"] = challenge(
        'Bearer realm="http://registry.invalid/token",service="s"'
    )
    text = refusal(hostile, access, AuthenticationError)
    assert "sends us for a token to http://registry.invalid/token, which would see the credentials" in text


def test_token_realm_is_missing(hostile: HostileRegistry, access: Access) -> None:
    hostile.tricks["/manifests/latest"] = challenge("Bearer")
    assert "asks for a token, but does not say from where" in refusal(hostile, access, AuthenticationError)


def test_unknown_authentication(hostile: HostileRegistry, access: Access) -> None:
    hostile.tricks["/manifests/latest"] = challenge("Negotiate")
    assert "asks for authentication by negotiate" in refusal(hostile, access, AuthenticationError)


def test_challenge_without_one(hostile: HostileRegistry, access: Access) -> None:
    hostile.tricks["/manifests/latest"] = refuse(401)
    assert "asks for authentication by nothing" in refusal(hostile, access, AuthenticationError)


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (json.dumps({"token": "x" * 100_000}), "a token of 100000 bytes"),
        (json.dumps({"token": "x" * (2 << 20)}), f"sent more than {1 << 20} bytes"),
        (json.dumps({"token": "x\r\nX-Evil: 1"}), "no token, or one that no header can hold"),
        (json.dumps({"token": 5}), "no token, or one"),
        ("{}", "no token, or one"),
        ("[]", "not an object"),
        ("no json", "is not valid JSON"),
    ],
)
def test_senseless_token(hostile: HostileRegistry, access: Access, answer: str, problem: str) -> None:
    hostile.tricks["/manifests/latest"] = challenge(f'Bearer realm="{hostile.web.url}/token",service="s"')
    hostile.tricks["scope=repository%3Aname%3Apull"] = send(answer.encode())
    assert problem in refusal(hostile, access)


@pytest.mark.parametrize("lifetime", [10**400, -1, "soon", True, None])
def test_senseless_lifetime_of_a_token(hostile: HostileRegistry, access: Access, lifetime: object) -> None:
    def manifest(request: Request, handler: BaseHTTPRequestHandler) -> None:
        asked = challenge(f'Bearer realm="{hostile.web.url}/token",service="s"')
        (send(IMAGE.manifest.data) if signed_in(request) else asked)(request, handler)

    hostile.tricks["/manifests/latest"] = manifest
    token = json.dumps({"token": "x", "expires_in": lifetime}).encode()
    hostile.tricks["scope=repository%3Aname%3Apull"] = send(token)
    with source_of(hostile, access) as source:
        assert source.root().raw == IMAGE.manifest.data


@pytest.mark.parametrize(("lifetime", "tokens"), [(60, 1), (5, 3)])
def test_token_that_ends_soon_is_not_used_again(
    hostile: HostileRegistry, access: Access, lifetime: int, tokens: int
) -> None:
    def guarded(request: Request, handler: BaseHTTPRequestHandler) -> None:
        if signed_in(request):
            honest(IMAGE, request, handler)
        else:
            challenge(f'Bearer realm="{hostile.web.url}/token",service="s"')(request, handler)

    token = json.dumps({"token": "x", "expires_in": lifetime}).encode()
    hostile.tricks = {"scope=repository%3Aname%3Apull": send(token), "": guarded}
    with source_of(hostile, access) as source:
        assert pulled(source) == contents(IMAGE)
    assert sum(request.path.startswith("/token") for request in hostile.web.requests) == tokens


def test_stalled_token_server(hostile: HostileRegistry, access: Access) -> None:
    hostile.tricks["/manifests/latest"] = challenge(f'Bearer realm="{hostile.web.url}/token",service="s"')
    hostile.tricks["scope=repository%3Aname%3Apull"] = trickle_body
    assert "took longer than 1 s" in refusal(hostile, access, TransportError, replace(HASTE, document=1))


def test_token_server_that_fails(hostile: HostileRegistry, access: Access) -> None:
    hostile.tricks["/manifests/latest"] = challenge(f'Bearer realm="{hostile.web.url}/token?x=1",service="s"')
    hostile.tricks["scope=repository%3Aname%3Apull"] = refuse(500)
    text = refusal(hostile, access, TransportError)
    assert f"the token server at {hostile.web.url}/token answered with status 500" in text


def test_error_that_repeats_our_secrets(hostile: HostileRegistry, access: Access) -> None:
    def parrot(request: Request, handler: BaseHTTPRequestHandler) -> None:
        if not signed_in(request):
            challenge('Basic realm="x"')(request, handler)
            return
        shown = f"{SECRET} {request.headers['Authorization']} \x1b[31m\r\nred"
        body = json.dumps({"errors": [{"code": "DENIED", "message": shown}]}).encode()
        respond(handler, 403, body)

    hostile.tricks["/manifests/latest"] = parrot
    text = refusal(hostile, access, AuthenticationError)
    assert "access is denied (DENIED: [secret] Basic [secret] [31mred); run `docker login" in text
    assert base64.b64encode(f"user:{SECRET}".encode()).decode() not in text


# Tags and pushes


def test_senseless_list_of_tags(hostile: HostileRegistry, access: Access) -> None:
    for answer in (b"[]", b'{"tags": 5}', b'{"tags": ["\\u001b[31m"]}', b"{"):
        hostile.tricks = {"/manifests/latest": refuse(404), "/tags/list?n=1000": send(answer)}
        assert "\x1b" not in refusal(hostile, access, NotFound)


def test_other_digest_stored(hostile: HostileRegistry, access: Access) -> None:
    hostile.tricks["/manifests/latest"] = refuse(201, {"Docker-Content-Digest": "sha256:" + "0" * 64})
    target = parse_reference(hostile.location)
    with RegistryDestination(target, access, Session(target, access, HASTE)) as destination:  # noqa: SIM117
        with pytest.raises(DigestMismatch, match="the registry stored 'sha256:0"):
            destination.commit(document_of(IMAGE.manifest))


@pytest.mark.parametrize("status", [201, 405, 413])
def test_push_to_a_registry_that_takes_nothing(hostile: HostileRegistry, access: Access, status: int) -> None:
    hostile.tricks["/blobs/uploads/"] = refuse(status, {"Location": "/v2/name/blobs/there"})
    target = parse_reference(hostile.location)
    with RegistryDestination(target, access, Session(target, access, HASTE)) as destination:  # noqa: SIM117
        with pytest.raises(TransportError, match=f"the registry answers with status {status}"):
            push(destination, IMAGE)


# Anything at all

PARTS = ["/v2/name/", "http://127.0.0.1:1", "http://", "//", "[::1", ":99999", "?", "#", "%zz", "\xe9", "..", "@", " ", "\t",
    "*", "\\", '"', ",", "=", "Bearer ", "Basic ", "realm=", "scope=", "0", "-1", "bytes ", "gzip", "chunked", "close"]  # fmt: skip
HEADERS = ["Location", "WWW-Authenticate", "Content-Length", "Content-Type", "Docker-Content-Digest", "Retry-After",
    "Transfer-Encoding", "Content-Encoding", "Content-Range", "Connection"]  # fmt: skip
BODIES = [IMAGE.manifest.data, b"{}", b'{"token":"x"}', b'{"tags":["a"]}', b""]
ANSWERS = st.tuples(
    st.sampled_from([200, 200, 206, 204, 301, 307, 304, 401, 401, 403, 404, 429, 500, 100, 999]),
    st.dictionaries(st.sampled_from(HEADERS), st.lists(st.sampled_from(PARTS), max_size=4).map("".join)),
    st.sampled_from(BODIES),
)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.none() | ANSWERS, max_size=6))
def test_any_answers_give_the_image_or_one_line(
    answers: list[tuple[int, dict[str, str], bytes] | None],
) -> None:
    left = iter(answers)

    def next_answer(request: Request, handler: BaseHTTPRequestHandler) -> None:
        answer = next(left, None)
        if answer is None:
            honest(IMAGE, request, handler)
            return
        status, headers, body = answer
        lines = [f"HTTP/1.1 {status} X", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        handler.wfile.write("\r\n".join(lines).encode("latin-1") + body)
        handler.close_connection = True

    with serving(next_answer) as web:
        target = parse_reference(f"{web.host}/name")
        # Plain HTTP at once: the attempt to speak TLS would use up an answer.
        session = Session(target, Access(plain_http=True), replace(HASTE, read=0.2))
        with RegistrySource(target, Access(), session) as source:
            try:
                assert pulled(source).keys() == contents(IMAGE).keys()
            except DeadweightError as error:
                line = str(error)
            else:
                line = ""
    assert line.isprintable()
