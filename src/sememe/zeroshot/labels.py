"""Labels and the sentences around them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from sememe.errors import UnknownLabelError, UsageError

TEMPLATE = "a photo of a {}"
"""Sentence around a label unless another is given: how captions of pictures on the web often begin."""


def read_labels(labels: str | Iterable[str]) -> tuple[str, ...]:
    """Take labels from a list, from a string with commas, or from a file with one a line.

    Parameters
    ----------
    labels : str or iterable of str
        A string is ``@path``, the path of an existing file, or labels between commas. In a file, blank lines
        and lines that begin with ``#`` do not count.

    Returns
    -------
    tuple of str
        Each label once, stripped, in the order given.

    Raises
    ------
    UnknownLabelError
        The file cannot be read or is not UTF-8 text, or no label is left.
    """
    if isinstance(labels, str):
        lines = _read_file(labels) if _is_file(labels) else labels.split(",")
    else:
        lines = list(labels)
    if not all(isinstance(line, str) for line in lines):
        raise UnknownLabelError(f"labels are text, not {lines!r}: give words such as 'cat', 'dog'")
    found = tuple(dict.fromkeys(label for line in lines if (label := " ".join(line.split()))))
    if not found:
        where = f"in {labels!r}" if isinstance(labels, str) else "given"
        raise UnknownLabelError(f"no label {where}: name at least one, such as cat,dog")
    return found


def read_templates(template: str | Sequence[str]) -> tuple[str, ...]:
    """Check one template or several; each must say where its label goes.

    Raises
    ------
    UsageError
        There is no template, or one without ``{}``.
    """
    templates = (template,) if isinstance(template, str) else tuple(template)
    if not templates:
        raise UsageError("no template given: use one such as 'a photo of a {}'")
    for text in templates:
        if "{}" not in text:
            raise UsageError(f"template {text!r} does not say where the label goes: put {{}} there")
    return templates


def _is_file(text: str) -> bool:
    try:
        return text.startswith("@") or Path(text).is_file()
    except (OSError, ValueError):  # too long for a path, or holds NUL: then it is a list
        return False


def _read_file(name: str) -> list[str]:
    path = Path(name.removeprefix("@"))
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except OSError as exc:
        raise UnknownLabelError(
            f"{path}: cannot be read ({exc.strerror}); give a file with one label a line"
        ) from exc
    except ValueError as exc:  # not UTF-8, or a path that cannot be one
        raise UnknownLabelError(f"{path}: no UTF-8 text; a label file holds one label a line") from exc
    return [line for line in lines if not line.lstrip().startswith("#")]
