"""The application: pages, questions, and the guard around both."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import sememe
from sememe.errors import MissingExtraError, SememeError
from sememe.web.guards import Guard, Limits
from sememe.web.library import Library
from sememe.web.numbers import Numbers
from sememe.web.pictures import Pictures
from sememe.web.writing import Writer

if TYPE_CHECKING:
    from fastapi import FastAPI, Request, Response

__all__ = ["LOOPBACK", "create_app"]

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
"""Names under which a server that nobody else can reach is asked."""


def create_app(
    archive: str | Path,
    *,
    root: str | Path | None = None,
    write: bool = False,
    token: str | None = None,
    hosts: frozenset[str] = LOOPBACK,
    limits: Limits | None = None,
) -> Guard:
    """Make the ASGI application of one archive.

    Parameters
    ----------
    archive
        What is shown.
    root
        Folder that the paths of its items start from; the working folder if not given.
    write
        Whether pictures may be added.
    token
        Asked of everybody, if given.
    hosts
        Names under which the server may be asked for.
    limits
        How much one client may ask for.

    Raises
    ------
    MissingExtraError
        FastAPI is not installed.
    StorageError, ArchiveFormatError, UnknownProfileError
        The archive cannot be opened.
    """
    try:
        from fastapi import FastAPI
        from fastapi.staticfiles import StaticFiles

        from sememe.web.routes import add_routes
    except ImportError as exc:
        raise MissingExtraError("the page needs FastAPI: pip install 'sememe[web]'") from exc
    library, numbers = Library(Path(archive)), Numbers()
    writer = Writer(Path(archive)) if write else None
    app = FastAPI(
        title="sememe",
        version=sememe.__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
    )
    _answer_errors(app)
    _count(app, numbers)
    add_routes(app, library, Pictures(None if root is None else Path(root)), numbers, writer)
    app.mount("/static", StaticFiles(directory=str(files("sememe.web") / "static")))
    return Guard(app, hosts=hosts, token=token, limits=limits or Limits())


def _answer_errors(app: FastAPI) -> None:
    from fastapi.exceptions import RequestValidationError
    from fastapi.responses import JSONResponse

    @app.exception_handler(SememeError)
    def ours(_: Request, exc: SememeError) -> Response:
        from sememe.errors import InputError, UsageError

        status = 422 if isinstance(exc, UsageError) else 404 if isinstance(exc, InputError) else 500
        return JSONResponse({"error": str(exc)}, status)

    @app.exception_handler(RequestValidationError)
    def invalid(_: Request, exc: RequestValidationError) -> Response:
        first = exc.errors()[0]
        where = ".".join(str(part) for part in first["loc"][1:])
        return JSONResponse({"error": f"{where}: {first['msg']}"}, 422)


def _count(app: FastAPI, numbers: Numbers) -> None:
    @app.middleware("http")
    async def timed(request: Request, call: Callable[[Request], Awaitable[Response]]) -> Response:
        started = time.perf_counter()
        response = await call(request)
        route = getattr(request.scope.get("route"), "path", "other")
        numbers.note(route, response.status_code, time.perf_counter() - started)
        return response
