"""What the world around gives: zones, codecs, names, certificates."""

import ssl
from datetime import UTC, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import anyio
from fastapi import APIRouter, Form

router = APIRouter(prefix="/world")


@router.get("/time/{zone:path}")
def time(zone: str) -> dict[str, str]:
    return {"time": datetime(2026, 1, 1, 12, tzinfo=UTC).astimezone(ZoneInfo(zone)).isoformat()}


@router.get("/bytes/{codec}/{text}")
def encoded(codec: str, text: str) -> dict[str, str]:
    return {"bytes": text.encode(codec).hex()}


@router.get("/trust")
def trust() -> dict[str, int]:
    return {"certificates": len(ssl.create_default_context().get_ca_certs())}


@router.get("/names")
async def names() -> dict[str, str]:
    found = await anyio.getaddrinfo("localhost", 80, family=2)
    return {"address": found[0][4][0]}


@router.post("/form")
async def form(place: Annotated[str, Form()]) -> dict[str, str]:
    path = anyio.Path("/tmp/place")
    await path.write_text(place)
    return {"kept": await path.read_text()}


@router.get("/program")
async def program() -> dict[str, str]:
    done = await anyio.run_process(["sh", "-c", "echo $((6 * 7))"])
    return {"said": done.stdout.decode().strip()}
