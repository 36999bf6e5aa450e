"""The application, put together; each part is imported when it is put in."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module

from fastapi import FastAPI
from fastapi.responses import JSONResponse
from starlette.requests import Request


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    print("the station is open", flush=True)
    yield
    print("the station is closed", flush=True)


def create() -> FastAPI:
    app = FastAPI(title="Weather", lifespan=lifespan)
    for part in ("measurements", "world"):
        app.include_router(import_module(f"weather.{part}").router)

    @app.get("/")
    async def index() -> dict[str, str]:
        return {"weather": "fine"}

    @app.exception_handler(ZeroDivisionError)
    async def failed(_request: Request, error: ZeroDivisionError) -> JSONResponse:
        return JSONResponse({"failed": str(error)}, status_code=500)

    return app
