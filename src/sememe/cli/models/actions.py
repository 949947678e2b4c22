"""What can be done with models: each action is one call of the store, and its words."""

from __future__ import annotations

import argparse

from sememe import hub
from sememe.cli.models import names
from sememe.cli.models.names import Row
from sememe.cli.output import Output
from sememe.errors import HashMismatchError, ModelUnavailableError


def show(out: Output) -> int:
    """List all that has a name, and all that was pulled without one."""
    for row in names.rows():
        out.record(_fields(row, row.path), f"{row.kind:9}  {row.id:16}  {row.path or _state(row)}")
    return 0


def path(name: str, args: argparse.Namespace, out: Output) -> None:
    """Print where the profile and the files of a name are."""
    rows = [row for row in names.rows() if row.id == name]
    for row in rows:
        places = [row.path] if row.path else []
        if row.path and (row.pull or row.kind == "hub"):  # not a part of the package: refuse what is damaged
            places = [str(hub.locate(source)) for source in names.pulled(name)]
        for place in places:
            out.record(_fields(row, place), place)
    if not any(row.available for row in rows):
        command = names.sources(name)[0].command
        raise ModelUnavailableError(f"{name}: its weights are not on this machine; run `{command}`")


def pull(name: str, args: argparse.Namespace, out: Output) -> None:
    """Fetch what is missing of a model."""
    for source in names.sources(name, args.files):
        with out.progress(name, unit="B") as progress:
            hub.pull(source, offline=args.offline, progress=progress, note=out.note, update=args.update)
        found = hub.find(source)
        if found is None:
            raise ModelUnavailableError(f"{name}: was removed while it was pulled; pull it again")
        fields = {
            "id": name,
            "repo": found.repo,
            "revision": found.revision,
            "commit": found.commit,
            "files": list(found.files),
            "nbytes": found.nbytes,
            "path": str(found.path),
        }
        out.record(fields, f"{name}  {_amount(found.files, found.nbytes)}  {found.path}")


def verify(name: str, args: argparse.Namespace, out: Output) -> None:
    """Hash the files of a model anew."""
    for source in names.pulled(name):
        with out.progress(name, unit="B") as progress:
            checks = hub.verify(source, progress=progress)
        for one in checks:
            fields = {"id": name, "file": one.name, "nbytes": one.nbytes, "sha256": one.sha256, "ok": one.ok}
            out.record(fields, f"{'ok' if one.ok else 'damaged':7}  {name}  {one.name}  {one.sha256}")
        bad = ", ".join(one.name for one in checks if not one.ok)
        if bad:
            raise HashMismatchError(f"{name}: damaged: {bad}; run `{source.command}` to fetch it again")


def remove(name: str, args: argparse.Namespace, out: Output) -> None:
    """Take away what was pulled of a model; of several repositories, those that are here."""
    nothing = None
    removed = 0
    for source in names.sources(name):
        try:
            gone = hub.remove(source)
        except ModelUnavailableError as error:
            nothing = error
            continue
        removed += 1
        fields = {"id": name, "files": list(gone.names), "nbytes": gone.nbytes, "path": str(gone.folder)}
        out.record(fields, f"{name}  removed {_amount(gone.names, gone.nbytes)}")
    if nothing and not removed:
        raise nothing


def _fields(row: Row, place: str | None) -> dict[str, str | bool | None]:
    return {"id": row.id, "kind": row.kind, "available": row.available, "path": place}


def _state(row: Row) -> str:
    if row.available:
        return "needs no files"
    size = f"{row.size / 1e6:,.0f} MB, " if row.size else ""
    return f"not here ({size}{row.pull})" if row.pull else "not here"


def _amount(files: tuple[str, ...], nbytes: int) -> str:
    return f"{len(files)} file{'s' * (len(files) != 1)}, {nbytes / 1e6:,.1f} MB"
