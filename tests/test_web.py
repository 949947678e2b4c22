from __future__ import annotations

import asyncio
import io
import json
import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("fastapi", reason="needs the extra [web]")
pytest.importorskip("httpx", reason="needs httpx")

from sememe import api, bitstream, encode_paths
from sememe.archive import Archive, NewItem
from sememe.errors import InputError, SememeError, UsageError
from sememe.generate import read_marks
from sememe.web import Client, create_app
from sememe.web.guards import Limits
from sememe.web.layout import lay_out
from sememe.web.library import Library
from sememe.web.terms import Asked, read_terms
from toys import COLOURS, plain, toy_codec

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # starlette announces another client
    from starlette.testclient import TestClient


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures of one colour each, and an archive of them under relative paths."""
    root = tmp_path_factory.mktemp("web")
    (root / "photos").mkdir()
    for colour in COLOURS:
        plain(colour).save(root / "photos" / f"{colour}.png")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        encode_paths(["photos"], root / "photos.sems", toy_codec(16))
    return root


@contextmanager
def client(folder: Path, **options: object) -> Iterator[TestClient]:
    app = create_app(folder / "photos.sems", root=folder, **options)  # type: ignore[arg-type]
    with TestClient(app, base_url="http://127.0.0.1:8642") as made:
        yield made


@pytest.fixture
def web(folder: Path) -> Iterator[TestClient]:
    with client(folder) as made:
        yield made


def id_of(folder: Path, colour: str) -> int:
    with Archive.open(folder / "photos.sems") as archive:
        return archive.get(f"photos/{colour}.png").id


def png(colour: str) -> bytes:
    file = io.BytesIO()
    plain(colour).save(file, "PNG")
    return file.getvalue()


# terms


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("two parrots", [Asked("text", "two parrots", 1)]),
        (
            "id:12 + snow - 2:dog",
            [Asked("item", "12", 1), Asked("text", "snow", 1), Asked("text", "dog", -2)],
        ),
        ("code:8f00", [Asked("code", "8f00", 1)]),
        ("code:8F", [Asked("text", "code:8F", 1)]),
        ("id:x", [Asked("text", "id:x", 1)]),
        ("/etc/passwd", [Asked("text", "/etc/passwd", 1)]),
        ("../secret.jpg", [Asked("text", "../secret.jpg", 1)]),
        ("~/mine.sem", [Asked("text", "~/mine.sem", 1)]),
    ],
)
def test_terms_are_words_items_or_codes_but_never_files(typed: str, asked: list[Asked]) -> None:
    assert read_terms(typed) == asked


@pytest.mark.parametrize("typed", ["", "+", "a - ", "x" * 501, " + ".join("abcdefghijklmnopq")])
def test_queries_that_make_no_sense_are_refused(typed: str) -> None:
    with pytest.raises(UsageError):
        read_terms(typed)


# questions


def test_search_by_word_by_item_and_by_code(web: TestClient, folder: Path) -> None:
    red = id_of(folder, "red")
    for query in (
        "red",
        f"id:{red}",
        "code:" + api.read_source(folder / "photos.sems", toy_codec().profile).codes[red].tobytes().hex(),
    ):
        found = web.get("/api/search", params={"q": query}).json()
        assert found["hits"][0]["path"] == "photos/red.png", query
    assert (found["nbytes"], found["images"], found["archive_bytes"]) == (16, len(COLOURS), 16 * len(COLOURS))
    assert not found["more"]


def test_fewer_bytes_are_compared_with_the_full_code(web: TestClient) -> None:
    found = web.get("/api/search", params={"q": "blue", "bytes": 2}).json()
    assert found["nbytes"] == 2
    assert found["archive_bytes"] == 2 * len(COLOURS)
    assert 0 < found["agree"]["same"] <= found["agree"]["of"] == len(COLOURS)


def test_pages_of_results_do_not_overlap(web: TestClient) -> None:
    pages = [web.get("/api/search", params={"q": "red", "start": s, "count": 3}).json() for s in (0, 3, 6)]
    ids = [hit["id"] for page in pages for hit in page["hits"]]
    assert sorted(ids) == list(range(len(COLOURS)))
    assert [page["more"] for page in pages] == [True, True, False]
    browsed = web.get("/api/browse", params={"count": 3}).json()
    assert [hit["id"] for hit in browsed["hits"]] == [7, 6, 5]


def test_a_large_archive_answers_what_a_small_one_does(
    folder: Path, web: TestClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    codec = toy_codec(8)
    many = tmp_path / "many.sems"
    codes = np.random.default_rng(0).integers(0, 256, (1500, 8), np.uint8)
    with codec.open_archive(many) as archive:
        archive.put([NewItem(f"{row}.jpg") for row in range(len(codes))], codes)
    exact = Library(many).search("green", 8, 0, 10)
    monkeypatch.setattr("sememe.web.state.LARGE", 1000)
    assert Library(many).search("green", 8, 0, 10)["hits"] == exact["hits"]
    assert (tmp_path / "many.sems.cache").is_dir()


def test_what_survives_of_an_image(web: TestClient, folder: Path) -> None:
    found = web.get(f"/api/explain/{id_of(folder, 'green')}").json()
    assert found["path"] == "photos/green.png"
    assert [rate["nbytes"] for rate in found["rates"]] == [1, 2, 4, 8, 16]
    last = found["rates"][-1]
    assert last["cosine_to_full"] == pytest.approx(1, abs=1e-4)
    assert last["lost"] == []
    assert all(neighbour["kept"] for neighbour in last["neighbours"])
    for rate in found["rates"]:
        assert len(rate["lost"]) == sum(not neighbour["kept"] for neighbour in rate["neighbours"])


def test_cards_have_words(web: TestClient, folder: Path) -> None:
    red, blue = id_of(folder, "red"), id_of(folder, "blue")
    found = web.get("/api/labels", params={"item": [red, blue]}).json()
    assert set(found) == {str(red), str(blue)}
    assert all(1 <= len(words) <= 3 for words in found.values())
    assert web.get("/api/labels").status_code == 422
    assert web.get("/api/labels?item=999").status_code == 404
    assert web.get("/api/labels", params={"item": [red] * 101}).status_code == 422


def test_the_code_comes_as_a_sem_file(web: TestClient, folder: Path) -> None:
    red = id_of(folder, "red")
    whole = web.get(f"/api/code/{red}.sem")
    record = bitstream.parse(whole.content)
    assert len(record.payload) == 16
    assert bitstream.parse(web.get(f"/api/code/{red}.sem?bytes=4").content).payload == record.payload[:4]
    assert web.get(f"/api/code/{red}.sem?bytes=17").status_code == 422


def test_a_picture_becomes_a_code_and_is_forgotten(web: TestClient, folder: Path) -> None:
    before = (folder / "photos.sems").read_bytes()
    answer = web.post("/api/encode", content=png("red"), headers={"content-type": "application/octet-stream"})
    found = answer.json()
    lengths = [step["nbytes"] for step in found["steps"]]
    assert lengths[:16] == list(range(1, 17))
    assert lengths[-1] == found["nbytes"] == len(found["code"]) // 2
    assert found["steps"][-1]["cosine"] > found["steps"][0]["cosine"] - 0.01
    assert (folder / "photos.sems").read_bytes() == before
    said = web.get(f"/api/decode/{found['code']}").json()
    assert said["steps"][3]["labels"] == found["steps"][3]["labels"]


def test_pictures_are_added_only_where_that_was_asked_for(folder: Path, tmp_path: Path) -> None:
    header = {"content-type": "application/octet-stream"}
    with client(folder) as web:
        refused = web.post("/api/encode?name=new.png", content=png("red"), headers=header)
        assert refused.status_code == 422
        assert "--write" in refused.json()["error"]
    copy = tmp_path / "photos.sems"
    copy.write_bytes((folder / "photos.sems").read_bytes())
    with client(tmp_path, write=True) as web:
        assert (
            web.post("/api/encode?name=new.png", content=png("red"), headers=header).json()["path"]
            == "added/new.png"
        )
        assert web.post("/api/encode?name=new.png", content=png("red"), headers=header).status_code == 422
        for name in ("../x.png", "a/b.png", "", "a\nb"):
            assert (
                web.post("/api/encode", params={"name": name}, content=png("red"), headers=header).status_code
                == 422
            )
    with Archive.open(copy) as archive:
        assert "added/new.png" in archive
        assert archive.verify() == []


def test_an_archive_that_grows_is_seen(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = tmp_path / "photos.sems"
    copy.write_bytes((folder / "photos.sems").read_bytes())
    monkeypatch.setattr("sememe.web.library._FRESH", 0.0)
    library = Library(copy)
    assert len(library.state) == len(COLOURS)
    with Archive.open(copy, write=True) as archive:
        archive.put([NewItem("late.png")], np.zeros((1, 16), np.uint8))
    assert len(library.state) == len(COLOURS) + 1


def test_a_map_has_every_image_once_inside_the_square(web: TestClient) -> None:
    points = web.get("/api/map").json()
    assert sorted(point["id"] for point in points) == list(range(len(COLOURS)))
    assert all(0 <= point[axis] <= 1 for point in points for axis in "xy")


def test_a_map_keeps_kinds_together(folder: Path) -> None:
    state = Library(folder / "photos.sems").state
    rng = np.random.default_rng(0)
    centres = np.eye(32, dtype=np.float32)[:4]
    x = np.repeat(centres, 30, axis=0) + 0.1 * rng.standard_normal((120, 32)).astype(np.float32)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    points = lay_out(np.arange(120), x, state.background, state.classifier)
    places = np.array([[point.x, point.y] for point in points]).reshape(4, 30, 2)
    within = np.linalg.norm(places - places.mean(axis=1, keepdims=True), axis=2).mean()
    between = np.linalg.norm(places.mean(axis=1) - places.mean(axis=(0, 1)), axis=1).mean()
    assert within < between / 2
    assert lay_out(np.zeros(0, np.int64), x[:0], state.background, state.classifier) == []


# pictures


def test_thumbnails_are_small_and_hold_no_metadata(web: TestClient, folder: Path) -> None:
    answer = web.get(f"/api/picture/{id_of(folder, 'red')}?side=40")
    image = Image.open(io.BytesIO(answer.content))
    assert (answer.headers["content-type"], image.format, max(image.size)) == ("image/jpeg", "JPEG", 64)
    assert not image.getexif()


def test_only_the_pictures_that_were_encoded_are_shown(folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.png"
    plain("red").save(outside)
    root = tmp_path / "root"
    root.mkdir()
    (root / "link.png").symlink_to(outside)
    plain("green").save(root / "changed.png")
    with Archive.create(
        tmp_path / "photos.sems", api.identity.for_archive(toy_codec().profile), 16
    ) as archive:
        names = ["../outside.png", str(outside), "link.png", "changed.png", "/etc/passwd", "gone.png"]
        items = [NewItem(name, 0, outside.stat().st_size, b"no such hash....") for name in names]
        archive.put(items, np.zeros((len(items), 16), np.uint8))
    app = create_app(tmp_path / "photos.sems", root=root)
    with TestClient(app, base_url="http://127.0.0.1") as web:
        for item in range(len(names)):
            answer = web.get(f"/api/picture/{item}")
            assert (answer.status_code, list(answer.json())) == (404, ["error"]), names[item]


@pytest.mark.parametrize(
    "path", ["/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "/photos/red.png"]
)
def test_no_other_file_is_served(web: TestClient, path: str) -> None:
    assert web.get(path).status_code == 404


# beside the code


def test_thumbnails_of_the_original_are_held_against_the_code(web: TestClient, folder: Path) -> None:
    found = web.get(f"/api/thumbnails/{id_of(folder, 'orange')}").json()
    assert [one["nbytes"] for one in found["ours"]] == [1, 2, 4, 8, 16]
    assert set(found["codecs"]) == {"WebP", "JPEG"}
    for front in found["codecs"].values():
        assert front == sorted(front, key=lambda one: one["nbytes"])
        assert front == sorted(front, key=lambda one: one["cosine"])
        assert front[0]["nbytes"] > 16
    assert web.get("/api/thumbnails/999").status_code == 404


def test_a_thumbnail_of_what_is_gone_cannot_be_made(folder: Path) -> None:
    app = create_app(folder / "photos.sems", root=folder / "photos")  # where the paths lead nowhere
    with TestClient(app, base_url="http://localhost") as web:
        assert web.get("/api/thumbnails/0").status_code == 404


def test_without_a_generator_nothing_is_drawn(web: TestClient) -> None:
    assert web.get("/api/generator").json() == {"generator": None}
    assert web.get("/api/generated/0").status_code == 404


def test_a_drawing_says_that_it_is_one(tmp_path: Path) -> None:
    codec = api.load("nano", nbytes=8)
    plain("red").save(tmp_path / "red.png")
    encode_paths([tmp_path / "red.png"], tmp_path / "photos.sems", codec)
    with client(tmp_path) as web:
        drawer = web.get("/api/generator").json()["generator"]
        if drawer is None:
            pytest.skip("the built-in generator's weights are not here")
        drawn = web.get("/api/generated/0?bytes=4&seed=3").content
        assert drawn == web.get("/api/generated/0?bytes=4&seed=3").content
        assert drawn != web.get("/api/generated/0?bytes=4&seed=4").content
        assert web.get("/api/generated/0?bytes=9").status_code == 422
    (mark,) = read_marks(drawn)
    assert (mark.nbytes, mark.profile, mark.seed, mark.generator) == (4, "nano", 3, drawer)


# the guard


def test_every_answer_forbids_what_the_page_does_not_need(web: TestClient) -> None:
    for path in ("/", "/map", "/encode", "/image/0", "/api/about", "/nowhere", "/static/page.css"):
        headers = web.get(path).headers
        assert "script-src 'self'" in headers["content-security-policy"], path
        assert headers["x-content-type-options"] == "nosniff"


def test_other_names_and_other_pages_are_refused(web: TestClient) -> None:
    assert web.get("/api/about", headers={"host": "evil.example"}).status_code == 421
    assert web.get("/api/about", headers={"host": "127.0.0.1.evil.example:8642"}).status_code == 421
    assert web.get("/api/about", headers={"host": "[::1]:8642"}).status_code == 200
    crossed = web.post("/api/encode", content=png("red"), headers={"origin": "http://evil.example"})
    assert crossed.status_code == 403


def test_a_token_is_asked_for_and_remembered(folder: Path) -> None:
    with client(folder, token="s3cret") as web:
        assert web.get("/api/about").status_code == 401
        assert web.get("/api/about", headers={"authorization": "Bearer wrong"}).status_code == 401
        assert web.get("/api/about", headers={"authorization": "Bearer s3cret"}).status_code == 200
        opened = web.get("/?token=s3cret")
        assert "HttpOnly" in opened.headers["set-cookie"]
        assert web.get("/api/about").status_code == 200  # the cookie is sent along


def test_floods_are_slowed_down(folder: Path) -> None:
    with client(folder, limits=Limits(burst=5, per_second=0.001)) as web:
        assert [web.get("/api/about").status_code for _ in range(7)] == [200] * 5 + [429] * 2


def test_bodies_that_are_too_large_or_no_pictures_are_refused(folder: Path) -> None:
    with client(folder, limits=Limits(body_bytes=1000)) as web:
        assert web.post("/api/encode", content=bytes(1001)).status_code == 413
        assert web.post("/api/encode", content=iter([bytes(600)] * 2)).status_code == 413
    with client(folder) as web:
        header = {"content-type": "application/octet-stream"}
        for wrong in (b"", b"no picture", png("red")[:50], bomb()):
            answer = web.post("/api/encode", content=wrong, headers=header)
            assert answer.status_code == 422, wrong[:20]
            assert answer.json()["error"]


def bomb() -> bytes:
    """A small file that would be a picture of 40,000 x 40,000."""
    head = bytearray(png("red"))
    head[16:24] = (40_000).to_bytes(4, "big") * 2
    return bytes(head)


def test_slow_bodies_and_slow_answers_are_given_up(folder: Path) -> None:
    app = create_app(folder / "photos.sems", limits=Limits(body_seconds=0.05))

    async def drip() -> dict[str, object]:
        await asyncio.sleep(0.02)
        return {"type": "http.request", "body": b".", "more_body": True}

    sent: list[dict[str, object]] = []

    async def send(message: object) -> None:
        sent.append(message)  # type: ignore[arg-type]

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/api/encode",
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
    }
    asyncio.run(app(scope, drip, send))  # type: ignore[arg-type]
    assert sent[0]["status"] == 408

    async def never(*_: object) -> None:
        await asyncio.sleep(5)

    sent.clear()
    app._app, app._limits = never, Limits(seconds=0.05)
    asyncio.run(app(scope | {"method": "GET"}, ready, send))  # type: ignore[arg-type]
    assert sent[0]["status"] == 503


async def ready() -> dict[str, object]:
    return {"type": "http.request", "body": b"", "more_body": False}


def test_names_and_labels_are_text_never_markup(tmp_path: Path) -> None:
    nasty = "<img src=x onerror=alert(1)>.sems"
    with Archive.create(tmp_path / nasty, api.identity.for_archive(toy_codec().profile), 16) as archive:
        archive.put([NewItem("<script>alert(1)</script>.png")], np.zeros((1, 16), np.uint8))
    app = create_app(tmp_path / nasty)
    with TestClient(app, base_url="http://localhost") as web:
        page = web.get("/").text
        assert "<img src=x" not in page
        assert "&lt;img src=x" in page
    scripts = Path(api.__file__).parent.parent / "web" / "static"
    for script in scripts.glob("*.js"):
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", script.read_text()
        )


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/search", 422),
        ("/api/search?q=", 422),
        ("/api/search?q=red&bytes=99", 422),
        ("/api/search?q=red&bytes=x", 422),
        ("/api/search?q=red&count=9999", 422),
        ("/api/search?q=code:" + "00" * 300, 422),
        ("/api/search?q=id:999", 404),
        ("/api/explain/999", 404),
        ("/api/explain/-1", 422),
        ("/api/explain/x", 422),
        ("/api/picture/999", 404),
        ("/api/code/999.sem", 404),
        ("/api/decode/xyz", 422),
        ("/api/decode/" + "00" * 300, 422),
    ],
)
def test_bad_questions_have_one_clear_answer(web: TestClient, path: str, status: int) -> None:
    answer = web.get(path)
    assert answer.status_code == status
    assert list(answer.json()) == ["error"]
    assert web.get("/api/about").status_code == 200


def test_every_question_is_in_the_openapi_document(web: TestClient) -> None:
    paths = web.get("/api/openapi.json").json()["paths"]
    assert set(paths) == {
        "/api/about", "/api/search", "/api/browse", "/api/explain/{item}", "/api/map", "/metrics",
        "/api/labels", "/api/generator", "/api/generated/{item}", "/api/thumbnails/{item}",
        "/api/picture/{item}", "/api/code/{item}.sem", "/api/encode", "/api/decode/{code}",
    }  # fmt: skip


def test_metrics_count_by_route(web: TestClient) -> None:
    web.get("/api/explain/0")
    web.get("/api/explain/1")
    text = web.get("/metrics").text
    assert f"sememe_images {len(COLOURS)}" in text
    assert 'sememe_requests_total{path="/api/explain/{item}",status="200"} 2' in text


# the other end, over a real socket


@pytest.fixture
def url(folder: Path) -> Iterator[str]:
    import uvicorn

    app = create_app(folder / "photos.sems", root=folder)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off"))
    sockets = [server.config.bind_socket()]
    sockets[0].listen()
    thread = threading.Thread(target=server.run, kwargs={"sockets": sockets}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(20)
    assert not thread.is_alive()


def test_the_client_asks_the_same_questions(url: str, folder: Path) -> None:
    asked = Client(url)
    red = id_of(folder, "red")
    assert asked.about()["images"] == len(COLOURS)
    assert asked.search("red", count=1)["hits"][0]["id"] == red
    assert asked.explain(red)["path"] == "photos/red.png"
    assert bitstream.parse(asked.code(red, nbytes=4)).payload.hex() == asked.explain(red)["code"][:8]
    code = bytes.fromhex(asked.encode(folder / "photos" / "red.png")["code"])
    assert asked.decode(code)["nbytes"] == len(code)
    with pytest.raises(InputError, match="no image 999"):
        asked.explain(999)
    with pytest.raises(UsageError, match="empty"):
        asked.search(" ")
    with pytest.raises(UsageError, match="http"):
        Client("ftp://x")
    with pytest.raises(SememeError, match="sememe serve"):
        Client("http://127.0.0.1:9", timeout=2).about()


def test_answers_are_json_with_stable_keys(web: TestClient, folder: Path) -> None:
    found = web.get("/api/search", params={"q": "red"}).json()
    assert sorted(found) == ["agree", "archive_bytes", "hits", "images", "likely", "more", "nbytes", "query"]
    assert sorted(found["hits"][0]) == ["id", "path", "rank", "score", "strength"]
    about = web.get("/api/about").json()
    assert sorted(about) == [
        "archive_bytes", "fingerprint", "images", "name", "nbytes", "profile", "rates", "ready",
    ]  # fmt: skip
    assert json.dumps(about)
