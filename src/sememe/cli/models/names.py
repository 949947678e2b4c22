"""What a name means: a profile or backbone of the package, a model of a catalogue, a repository."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from sememe import hub
from sememe.errors import UsageError

SCHEME = "hf:"
_EVERYTHING = ("*",)


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the list; `size` is in bytes where it is known, `pull` is the command that fetches it."""

    id: str
    kind: str
    available: bool
    path: str | None
    size: int | None = None
    pull: str | None = None


@dataclass(frozen=True, slots=True)
class _Model:
    """A model of a catalogue, whose files may come from several repositories."""

    kind: str
    sources: tuple[hub.Source, ...]
    nbytes: int | None = None


def rows() -> Iterator[Row]:
    """All that has a name, and all that was pulled without one."""
    yield from _profiles()
    yield from _built_in()
    yield from _catalogued()
    yield from _repositories()


def known() -> list[str]:
    """Names of the models that can be pulled."""
    return list(_catalogue())


def here() -> list[str]:
    """Names of the models that are in a store."""
    return [row.id for row in (*_catalogued(), *_repositories()) if row.available]


def sources(name: str, files: str | None = None) -> tuple[hub.Source, ...]:
    """The files that a name stands for; of a repository all, unless `files` says which.

    Raises
    ------
    UsageError
        It stands for none.
    """
    from sememe.backbones import BUILT_IN

    model = _catalogue().get(name)
    if model and files:
        raise UsageError(f"{name}: --files is for hf:ORG/NAME; this name stands for certain files")
    if model:
        return model.sources
    if name in BUILT_IN:
        raise UsageError(f"{name}: is part of this package; `sememe selftest` checks it")
    if not name.startswith(SCHEME):
        raise UsageError(f"{name or 'NAME'}: name one of {', '.join(known())}, or hf:ORG/NAME")
    repo, _, revision = name.removeprefix(SCHEME).partition("@")
    wanted = tuple(part.strip() for part in files.split(",")) if files else _EVERYTHING
    return (hub.Source(repo, wanted, revision or "main", name=None if files else name),)


def pulled(name: str) -> tuple[hub.Source, ...]:
    """The files that a name stands for, of a repository those that are here."""
    return tuple(map(_here, sources(name)))


def _here(source: hub.Source) -> hub.Source:
    if source.files != _EVERYTHING:
        return source
    every = (one for one in hub.installed() if (one.repo, one.revision) == (source.repo, source.revision))
    found = next(every, None)
    return replace(source, files=found.files) if found else source


def _catalogue() -> dict[str, _Model]:
    from sememe.backbones import CATALOGUE
    from sememe.generate.catalogue import KNOWN

    backbones = {name: _Model("backbone", (one.source,), one.nbytes) for name, one in CATALOGUE.items()}
    generators = {}
    for name, one in KNOWN.items():
        parts = (part for part in (one.source, one.adapter, one.prior) if part)
        generators[name] = _Model("generator", tuple(replace(part, name=name) for part in parts))
    return backbones | generators


def _profiles() -> Iterator[Row]:
    from sememe.profile import REGISTERED, available, shipped_path

    for name in REGISTERED.values():
        found = name in available()
        yield Row(name, "profile", found, str(shipped_path(name)) if found else None)


def _built_in() -> Iterator[Row]:
    from sememe import backbones

    for name in backbones.BUILT_IN:
        folder = Path(backbones.__file__).parents[1] / "data" / name
        found = folder.is_dir() and any(folder.iterdir())
        weightless = name.startswith("toy/")
        yield Row(name, "backbone", found or weightless, str(folder) if found else None)


def _catalogued() -> Iterator[Row]:
    for name, model in _catalogue().items():
        found = [hub.find(source) for source in model.sources]
        path = str(found[0].path) if found[0] and all(found) else None
        yield Row(name, model.kind, bool(path), path, model.nbytes, model.sources[0].command)


def _repositories() -> Iterator[Row]:
    models = _catalogue().values()
    named = {(source.repo, source.revision) for model in models for source in model.sources}
    for one in hub.installed():
        if (one.repo, one.revision) not in named:
            revision = "" if one.revision == "main" else f"@{one.revision}"
            found = all((one.path / name).is_file() for name in one.files)
            yield Row(f"{SCHEME}{one.repo}{revision}", "hub", found, str(one.path) if found else None)
