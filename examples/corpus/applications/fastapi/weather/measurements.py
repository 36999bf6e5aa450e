"""Measurements, in memory."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, File, HTTPException, UploadFile
from fastapi.responses import StreamingResponse

from weather.models import Measurement

router = APIRouter(prefix="/measurements")
KEPT: list[Measurement] = []


@router.post("", status_code=201)
async def add(measurement: Measurement) -> dict[str, int]:
    KEPT.append(measurement)
    return {"number": len(KEPT)}


@router.get("/mean")
def mean() -> float:  # a plain function: it runs in a thread
    from statistics import fmean

    return fmean(one.celsius for one in KEPT) if KEPT else 1 / len(KEPT)


@router.get("/stream")
def stream() -> StreamingResponse:
    def lines() -> Iterator[str]:
        for number in range(3):
            yield f"line {number}\n"

    return StreamingResponse(lines(), media_type="text/plain")


@router.get("/{number}")
async def one(number: int) -> Measurement:
    if not 0 < number <= len(KEPT):
        raise HTTPException(404, "no such measurement")
    return KEPT[number - 1]


@router.post("/file")
async def file(content: Annotated[UploadFile, File()]) -> dict[str, int]:
    return {"size": len(await content.read())}
