"""The application: pages, questions, and the guard around both."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import sememe
from sememe.errors import InputError, MissingExtraError, ModelUnavailableError, SememeError, UsageError
from sememe.web.guards import Guard, Limits
from sememe.web.library import Library
from sememe.web.numbers import Counted, Numbers
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
    eager: bool = False,
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
    eager
        Whether to make at once, aside, what the first questions would wait for.

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

        from sememe.web.refusals import ALWAYS
        from sememe.web.routes import add_routes
    except ImportError as exc:
        raise MissingExtraError("the page needs FastAPI: pip install 'sememe[web]'") from exc
    library, numbers = Library(Path(archive), eager=eager), Numbers()
    writer = Writer(Path(archive)) if write else None
    app = FastAPI(
        title="sememe",
        version=sememe.__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        responses=ALWAYS,
    )
    _answer_errors(app)
    app.add_middleware(Counted, numbers=numbers)
    add_routes(app, library, Pictures(None if root is None else Path(root)), numbers, writer)
    app.mount("/static", StaticFiles(directory=str(files("sememe.web") / "static")))
    return Guard(app, hosts=hosts, token=token, limits=limits or Limits())


def _answer_errors(app: FastAPI) -> None:
    from fastapi.exceptions import RequestValidationError
    from fastapi.responses import JSONResponse
    from starlette.exceptions import HTTPException

    @app.exception_handler(SememeError)
    def ours(_: Request, exc: SememeError) -> Response:
        return JSONResponse({"error": str(exc)}, _status(exc))

    @app.exception_handler(RequestValidationError)
    def invalid(_: Request, exc: RequestValidationError) -> Response:
        first = exc.errors()[0]
        where = ".".join(str(part) for part in first["loc"][1:])
        return JSONResponse({"error": f"{where}: {first['msg']}"}, 422)

    @app.exception_handler(HTTPException)
    def elsewhere(_: Request, exc: HTTPException) -> Response:
        return JSONResponse({"error": exc.detail}, exc.status_code, exc.headers)


def _status(exc: SememeError) -> int:
    kinds = {UsageError: 422, InputError: 404, ModelUnavailableError: 503, MissingExtraError: 503}
    return next((status for kind, status in kinds.items() if isinstance(exc, kind)), 500)
