"""Paths to questions, answers to JSON: nothing is decided here."""

from __future__ import annotations

from importlib.resources import files
from typing import Annotated, Any

from fastapi import Body, FastAPI, Query
from fastapi import Path as InPath
from fastapi.responses import HTMLResponse, PlainTextResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic import Field

import sememe
from sememe import bitstream
from sememe.errors import InputError, UsageError
from sememe.web.drawing import Drawer
from sememe.web.library import Library
from sememe.web.numbers import Numbers
from sememe.web.pictures import Pictures
from sememe.web.pools import Pool
from sememe.web.refusals import SENDING, may
from sememe.web.thumbnails import compare
from sememe.web.writing import Writer

__all__ = ["PAGES", "add_routes"]

PAGES = {"search": "/", "encode": "/encode", "map": "/map"}
"""Pages by name; an image has its own, `/image/7`."""

_BINARY = "application/octet-stream"

_Id = Annotated[int, Field(ge=0, lt=1 << 40)]
_Item = Annotated[int, InPath(ge=0, lt=1 << 40)]
_Picture = Annotated[bytes, Body(media_type=_BINARY)]
_Bytes = Annotated[int | None, Query(alias="bytes", ge=1, le=255)]

_HEX = "^([0-9a-fA-F]{2})+$"

_LAST = 1000  # results that scrolling reaches
_QUERY_CODE = 64  # bytes of a picture given as a query: as much as a query needs, short enough for a URL


quick, slow, drawing = Pool(3), Pool(2), Pool(1)
"""Searches; what would keep them waiting; and what is done one at a time, whoever waits."""


def add_routes(
    app: FastAPI, library: Library, pictures: Pictures, numbers: Numbers, writer: Writer | None
) -> None:
    """Give an application its pages and its API."""
    _add_pages(app, library, writer is not None)
    _add_questions(app, library, numbers)
    _add_images(app, library, pictures)
    _add_comparisons(app, library, pictures)
    _add_encoding(app, library, writer)


def _add_pages(app: FastAPI, library: Library, write: bool) -> None:
    environment = Environment(
        loader=FileSystemLoader(str(files("sememe.web") / "templates")),
        autoescape=True,
        undefined=StrictUndefined,
    )
    template = environment.get_template("page.html")

    def page(name: str) -> HTMLResponse:
        shown = template.render(
            page=name, pages=PAGES, about=library.about(), write=write, version=sememe.__version__
        )
        return HTMLResponse(shown)

    for name, path in PAGES.items():
        app.get(path, include_in_schema=False, name=name)(lambda name=name: page(name))
    app.get("/image/{item}", include_in_schema=False)(lambda item: page("image"))


def _add_questions(app: FastAPI, library: Library, numbers: Numbers) -> None:
    @app.get("/api/about")
    @quick
    def about() -> dict[str, Any]:
        """Say what is served."""
        return library.about()

    @app.get("/api/search", responses=may(404, 422))
    @quick
    def search(
        q: Annotated[str, Query(max_length=500, description="words, id:7, code:hex; joined by + and -")],
        nbytes: _Bytes = None,
        start: Annotated[int, Query(ge=0, le=_LAST)] = 0,
        count: Annotated[int, Query(ge=1, le=200)] = 48,
    ) -> dict[str, Any]:
        """Find images, best first."""
        return library.search(q, nbytes, start, count)

    @app.get("/api/browse", responses=may(422))
    @quick
    def browse(
        start: Annotated[int, Query(ge=0, lt=1 << 40)] = 0, count: Annotated[int, Query(ge=1, le=200)] = 48
    ) -> dict[str, Any]:
        """Give images, the newest first."""
        return library.browse(start, count)

    @app.get("/api/explain/{item}", responses=may(404, 422))
    @slow
    def explain(item: _Item) -> dict[str, Any]:
        """Tell what survives of one image at each length."""
        return library.inspect(item)

    @app.get("/api/labels", responses=may(404, 422))
    @quick
    def labels(item: Annotated[list[_Id], Query(min_length=1, max_length=100)]) -> dict[str, list[str]]:
        """Give the words that fit some images best."""
        return library.labels(item)

    @app.get("/api/map")
    @slow
    def points() -> list[dict[str, Any]]:
        """Give the archive, or a sample, as points in a plane."""
        return library.map()

    @app.get("/metrics", response_class=PlainTextResponse)
    @quick
    def metrics() -> str:
        """Give counters to Prometheus."""
        return numbers.exposition(len(library.state))


def _add_images(app: FastAPI, library: Library, pictures: Pictures) -> None:
    @app.get("/api/picture/{item}", response_class=_file("image/jpeg"), responses=may(404, 422))
    @slow
    def picture(item: _Item, side: Annotated[int, Query(ge=1, le=2000)] = 320) -> Response:
        """Give a thumbnail of the original, as JPEG, while the original is what was encoded."""
        data = pictures.thumbnail(library.item(item), side)
        return Response(data, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=3600"})

    @app.get("/api/code/{item}.sem", response_class=_file(_BINARY), responses=may(404, 422))
    @quick
    def code(item: _Item, nbytes: _Bytes = None) -> Response:
        """Give the code as a `.sem` file."""
        name = {"Content-Disposition": f'attachment; filename="{item}.sem"'}
        data = bitstream.pack(library.state.codec.record(library.code(item, nbytes)))
        return Response(data, media_type=_BINARY, headers=name)


def _add_comparisons(app: FastAPI, library: Library, pictures: Pictures) -> None:
    drawer = Drawer(library.state)

    @app.get("/api/generator")
    def generator() -> dict[str, str | None]:
        """Name the generator that draws from these codes, if there is one."""
        return {"generator": drawer.name}

    @app.get("/api/generated/{item}", response_class=_file("image/png"), responses=may(404, 422))
    @drawing
    def generated(
        item: _Item, nbytes: _Bytes = None, seed: Annotated[int, Query(ge=0, lt=1 << 32)] = 0
    ) -> Response:
        """Draw a picture that could have given the code: it says that it is drawn, and is no evidence."""
        code = library.code(item, nbytes)
        return Response(drawer.draw(library.state, code, seed), media_type="image/png")

    @app.get("/api/thumbnails/{item}", responses=may(404, 422))
    @slow
    def thumbnails(item: _Item) -> dict[str, Any]:
        """Hold the code against thumbnails of the original at as few bytes."""
        original = pictures.original(library.item(item))
        return compare(library.state, library.code(item), original)


def _add_encoding(app: FastAPI, library: Library, writer: Writer | None) -> None:
    @app.post("/api/encode", responses=may(*SENDING, 422))
    @slow
    def encode(
        picture: _Picture, name: Annotated[str | None, Query(max_length=200)] = None
    ) -> dict[str, Any]:
        """Turn a picture into a code; with a name, and on a server that may write, keep the code."""
        state = library.state
        longest = min(_QUERY_CODE, state.codec.profile.max_bytes)
        try:
            x = state.codec.image(picture)
        except InputError as exc:
            raise UsageError(str(exc)) from exc
        code = state.codec.encode_vectors(x[None], nbytes=longest)[0]
        answer = library.describe(x, code)
        if name is None:
            return answer
        if writer is None:
            raise UsageError("this server does not add pictures; start it with --write")
        encoded = state.codec.encode([picture], nbytes=state.nbytes)
        return answer | {"path": writer.add(state.codec, name, picture, encoded)}

    @app.get("/api/decode/{code}", responses=may(422))
    @slow
    def decode(code: Annotated[str, InPath(pattern=_HEX, max_length=510)]) -> dict[str, Any]:
        """Tell what a code in hex means, byte by byte."""
        state = library.state
        payload = bytes.fromhex(code)
        if len(payload) > state.codec.profile.max_bytes:
            raise UsageError(f"a code has 1 to {state.codec.profile.max_bytes} bytes, not {len(payload)}")
        return library.describe(state.codec.decode([payload])[0], payload)


def _file(kind: str) -> type[Response]:
    """Tell the API's description what kind of file an answer is."""
    return type("File", (Response,), {"media_type": kind})
