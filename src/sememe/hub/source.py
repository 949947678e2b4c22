"""What a model needs from the hub: a repository, a revision and the names of its files."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from fnmatch import fnmatchcase

from sememe.errors import UsageError

_REPO = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?", re.ASCII)
_PATTERN = set("*?[")


@dataclass(frozen=True, slots=True)
class Source:
    """Files of one repository, all of which a model needs.

    Parameters
    ----------
    repo : str
        ``org/name``.
    files : tuple of str
        Names below the repository's root, or patterns such as ``*.json``, each of which must match.
    revision : str
        Branch, tag or commit.
    optional : tuple of str
        Names or patterns that are fetched where the repository has them.
    name : str, optional
        What ``sememe models pull`` calls it; ``hf:org/name`` when absent.

    Raises
    ------
    UsageError
        The repository, the revision or a file name is not one.
    """

    repo: str
    files: tuple[str, ...]
    revision: str = "main"
    optional: tuple[str, ...] = ()
    name: str | None = None

    def __post_init__(self) -> None:
        if not _REPO.fullmatch(self.repo) or ".." in self.repo or "--" in self.repo:
            raise UsageError(f"{self.repo!r} is no repository of the hub; write org/name")
        if not self.files:
            raise UsageError(f"{self.repo}: name at least one file, or '*' for all")
        for name in (self.revision, *self.files, *self.optional):
            if not is_safe(name):
                raise UsageError(f"{self.repo}: {name!r} is no name below the repository's root")

    @property
    def command(self) -> str:
        """The command that fetches it."""
        if self.name:
            return f"sememe models pull {self.name}"
        revision = "" if self.revision == "main" else f"@{self.revision}"
        return f"sememe models pull hf:{self.repo}{revision} --files '{','.join(self.files)}'"

    @property
    def exact(self) -> bool:
        """Whether every needed file is named, none by pattern: only then can a folder be complete."""
        return not any(_PATTERN & set(name) for name in self.files)

    def select(self, names: Collection[str]) -> tuple[list[str], list[str]]:
        """Choose among names: those that are wanted, and the needed ones that are not among them."""
        chosen: dict[str, None] = {}
        missing = []
        for pattern in self.files:
            matches = _matches(pattern, names)
            chosen.update(dict.fromkeys(matches))
            if not matches:
                missing.append(pattern)
        for pattern in self.optional:
            chosen.update(dict.fromkeys(_matches(pattern, names)))
        return list(chosen), missing


def _matches(pattern: str, names: Collection[str]) -> list[str]:
    if pattern in names:
        return [pattern]
    return sorted(name for name in names if fnmatchcase(name, pattern))


def is_safe(name: str) -> bool:
    """Whether a name stays below the folder it is joined to, and prints as one word of a line."""
    parts = name.split("/")
    return name.isprintable() and "\\" not in name and not {"", ".", ".."} & set(parts)
