"""Adapters of diffusers' pipelines, run on the true classes at tiny size (tests/tiny_pipelines.py)."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from loopback_hub import LoopbackHub
from sememe import generate
from sememe.cli import main
from sememe.errors import (
    DeviceUnavailableError,
    ModelFormatError,
    ModelUnavailableError,
    UsageError,
    VectorError,
)
from sememe.generate import Generator
from sememe.generate.noise import implied_norm
from tiny_pipelines import (
    DIM,
    make_adapter,
    make_kandinsky,
    make_prior,
    make_stable_diffusion,
    make_unclip,
    unit_vectors,
)

pytest.importorskip("diffusers", reason="needs the extra [gen]")
pytest.importorskip("transformers", reason="needs the extra [gen]")

Folder = Callable[[str], Path]
MAKERS = {
    "unclip": make_unclip,
    "kandinsky": make_kandinsky,
    "prior": make_prior,
    "stable": make_stable_diffusion,
    "adapter.safetensors": make_adapter,
}
WITH = {"unclip": {}, "kandinsky": {"prior": "prior"}, "stable": {"adapter": "adapter.safetensors"}}
X = unit_vectors(2)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """Folder of a pipeline by name, made when first asked for."""
    root = tmp_path_factory.mktemp("pipelines")

    def find(name: str) -> Path:
        path = root / name
        return path if path.exists() else MAKERS[name](path)

    return find


@pytest.fixture(scope="module")
def loaded(made: Folder) -> Callable[[str], Generator]:
    """Each pipeline, loaded once."""
    cache: dict[str, Generator] = {}

    def load(name: str) -> Generator:
        if name not in cache:
            parts = {option: made(part) for option, part in WITH[name].items()}
            cache[name] = generate.load(made(name), space_id="toy/32", device="cpu", **parts)
        return cache[name]

    return load


def pixels(generator: Generator, x: np.ndarray = X, **options: object) -> np.ndarray:
    images = generator.generate(x, steps=2, **options)  # type: ignore[arg-type]
    assert all(image.mode == "RGB" for image in images)
    return np.stack([np.asarray(image, np.int64) for image in images])


@pytest.mark.parametrize("name", WITH)
def test_a_picture_depends_on_its_vector_and_its_seed_alone(
    loaded: Callable[[str], Generator], name: str
) -> None:
    generator = loaded(name)
    assert (generator.generator_id, generator.space_id, generator.dim) == (name, "toy/32", DIM)
    both = pixels(generator, seed=5)
    assert both.shape == (2, 16, 16, 3)
    assert np.array_equal(both[1:], pixels(generator, X[1:], seed=6))
    assert not np.array_equal(both[:1], pixels(generator, X[:1], seed=6)), "another seed, another picture"
    assert not np.array_equal(both[:1], pixels(generator, X[1:], seed=5)), "another vector, another picture"


def test_progress_counts_the_steps_of_all_pictures(loaded: Callable[[str], Generator]) -> None:
    told: list[tuple[int, int]] = []
    loaded("unclip").generate(X, steps=3, progress=lambda done, total: told.append((done, total)))
    assert {total for _, total in told} == {6}
    assert sorted(told) == told
    assert {done for done, _ in told} == set(range(1, 7))


def test_unit_vectors_get_the_length_that_the_normalizer_implies(loaded: Callable[[str], Generator]) -> None:
    unclip = loaded("unclip")
    mean, std = unclip.statistics  # type: ignore[attr-defined]
    assert unclip.norm == pytest.approx(implied_norm(mean, std))  # type: ignore[attr-defined]
    assert 3 < unclip.norm < 12  # type: ignore[attr-defined]


def test_noise_of_a_level_costs_the_cosine_that_it_was_chosen_for(loaded: Callable[[str], Generator]) -> None:
    """Measured on what the pipeline itself makes of a vector, not on our formula."""
    import torch

    unclip = loaded("unclip")
    pipe = unclip._pipe  # type: ignore[attr-defined]
    fidelities = (0.99, 0.97, 0.95, 0.9, 0.8, 0.7, 0.6)
    levels = [unclip.noise_level(X[0], fidelity) for fidelity in fidelities]  # type: ignore[attr-defined]
    assert levels == sorted(levels)
    assert len(set(levels)) == len(levels)
    assert 0 < levels[0] < levels[-1] < 1000
    embeds = torch.as_tensor(X[:1] * unclip.norm).repeat(400, 1)  # type: ignore[attr-defined]
    random = torch.Generator().manual_seed(0)
    for fidelity, level in zip(fidelities, levels, strict=True):
        with torch.no_grad():
            noised = pipe.noise_image_embeddings(embeds, noise_level=level, generator=random)[:, :DIM]
        cosines = torch.nn.functional.cosine_similarity(noised, embeds)
        assert float(cosines.mean()) == pytest.approx(fidelity, abs=0.015)
    assert unclip.noise_level(X[0], None) == unclip.noise_level(X[0], 1.0) == 0  # type: ignore[attr-defined]


def test_what_is_known_of_the_code_changes_the_picture(loaded: Callable[[str], Generator]) -> None:
    unclip = loaded("unclip")
    assert not np.array_equal(pixels(unclip, X[:1]), pixels(unclip, X[:1], fidelity=0.8))


def test_without_its_prior_kandinsky_draws_without_guidance(made: Folder) -> None:
    alone = generate.load(made("kandinsky"), space_id="toy/32", device="cpu")
    guided = generate.load(made("kandinsky"), space_id="toy/32", device="cpu", prior=made("prior"))
    assert not np.array_equal(pixels(alone, X[:1]), pixels(guided, X[:1]))
    assert guided.norm == pytest.approx((DIM * (2.0**2 + 0.5**2)) ** 0.5)  # type: ignore[attr-defined]


def test_attention_in_slices_gives_the_same_picture(made: Folder, loaded: Callable[[str], Generator]) -> None:
    sliced = generate.load(made("unclip"), space_id="toy/32", device="cpu", slicing=True)
    assert np.abs(pixels(sliced, X[:1]) - pixels(loaded("unclip"), X[:1])).max() <= 1


def test_the_image_encoder_need_not_be_here(made: Folder, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(made("unclip"), tmp_path / "unclip"))
    shutil.rmtree(folder / "image_encoder")
    assert generate.load(folder, space_id="toy/32").dim == DIM


@pytest.mark.parametrize(
    ("x", "options", "error"),
    [
        (X[:, :-1], {}, VectorError),
        (2 * X, {}, VectorError),
        (X * np.nan, {}, VectorError),
        (X, {"seed": -1}, UsageError),
        (X, {"steps": 0}, UsageError),
        (X, {"fidelity": 1.5}, UsageError),
        (X, {"colours": b"1"}, UsageError),
    ],
)
def test_calls_without_sense_are_refused(
    loaded: Callable[[str], Generator], x: np.ndarray, options: dict[str, object], error: type[Exception]
) -> None:
    with pytest.raises(error):
        loaded("unclip").generate(x, **options)  # type: ignore[arg-type]


# Published generators, from a hub on this machine


def pulled(name: str, folder: Path) -> dict[str, dict[str, bytes]]:
    """Repositories that a known generator comes from, with tiny contents."""
    known = generate.KNOWN[name]
    if name == "unclip-l":
        return {known.source.repo: contents(make_unclip(folder / "unclip", "fp16"))}
    assert known.adapter
    adapter = {known.adapter.files[0]: make_adapter(folder / "adapter.safetensors").read_bytes()}
    stable = contents(make_stable_diffusion(folder / "stable", "fp16"))
    return {known.source.repo: stable, known.adapter.repo: adapter}


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.mark.parametrize("name", ["unclip-l", "ip-adapter-sd15"])
def test_a_known_generator_is_pulled_and_draws_offline(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("SEMEME_HOME", "HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_TOKEN"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("SEMEME_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with LoopbackHub(pulled(name, tmp_path)) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.endpoint)
        assert main(["models", "pull", name, "--quiet"]) == 0

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr("socket.socket.connect", refuse)
    generator = generate.load(name, device="cpu")
    assert (generator.generator_id, generator.space_id) == (name, generate.KNOWN[name].space_id)
    assert pixels(generator, X[:1]).shape == (1, 16, 16, 3)


# What can be wrong with a folder


def break_config(folder: Path) -> None:
    (folder / "unet/config.json").write_text("{")


def cut_weights(folder: Path) -> None:
    file = folder / "unet/diffusion_pytorch_model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])


def drop_weights(folder: Path) -> None:
    (folder / "unet/diffusion_pytorch_model.safetensors").unlink()


def other_weights(folder: Path) -> None:
    """Another size of network than the configuration says."""
    file = folder / "unet/config.json"
    config = json.loads(file.read_text())
    file.write_text(json.dumps(config | {"cross_attention_dim": 24}))


def drop_index(folder: Path) -> None:
    (folder / "model_index.json").unlink()


def break_index(folder: Path) -> None:
    (folder / "model_index.json").write_text("[]")


def another_pipeline(folder: Path) -> None:
    (folder / "model_index.json").write_text('{"_class_name": "FluxPipeline"}')


@pytest.mark.parametrize(
    ("harm", "error"),
    [
        (break_config, ModelUnavailableError),
        (cut_weights, ModelUnavailableError),
        (drop_weights, ModelUnavailableError),
        (other_weights, ModelFormatError),
        (drop_index, ModelUnavailableError),
        (break_index, ModelFormatError),
        (another_pipeline, UsageError),
    ],
)
def test_a_broken_folder_is_one_line(
    made: Folder, tmp_path: Path, harm: Callable[[Path], None], error: type[Exception]
) -> None:
    folder = Path(shutil.copytree(made("unclip"), tmp_path / "broken"))
    harm(folder)
    with pytest.raises(error, match="broken") as caught:
        generate.load(folder, space_id="toy/32")
    assert "\n" not in str(caught.value)


def test_parts_that_are_not_named_or_not_there(made: Folder, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--space"):
        generate.load(made("unclip"))
    with pytest.raises(UsageError, match="--adapter"):
        generate.load(made("stable"), space_id="toy/32")
    with pytest.raises(ModelUnavailableError, match="IP-Adapter"):
        generate.load(made("stable"), space_id="toy/32", adapter=tmp_path / "none.safetensors")
    weights = made("unclip") / "unet/diffusion_pytorch_model.safetensors"
    with pytest.raises(ModelFormatError, match="plain IP-Adapter"):
        generate.load(made("stable"), space_id="toy/32", adapter=weights)
    with pytest.raises(ModelUnavailableError, match="prior"):
        generate.load(made("kandinsky"), space_id="toy/32", prior=tmp_path / "none")
    with pytest.raises(ModelUnavailableError):
        generate.load(made("kandinsky"), space_id="toy/32", prior=made("unclip") / "vae")
    with pytest.raises(DeviceUnavailableError, match="nowhere"):
        generate.load(made("unclip"), space_id="toy/32", device="nowhere")
