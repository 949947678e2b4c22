"""An image's meaning in 16 bytes. Keep it, send it, search it, classify it: from those bytes alone.

>>> import sememe
>>> codec = sememe.load("nano")                          # doctest: +SKIP
>>> codes = codec.encode(["cat.jpg", "dog.jpg"])         # doctest: +SKIP
>>> codec.classify(codes, "cat, dog")[0].best            # doctest: +SKIP

Names load what they need when they are first used: `import sememe` alone loads nothing but this file.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sememe.api import (
        Codec,
        Encoded,
        Explanation,
        codec_for,
        export,
        load,
        merge,
        read_sem,
        truncate,
        verify,
        write_sem,
    )
    from sememe.archive import Archive
    from sememe.batch import Report, encode_paths
    from sememe.bitstream import Record
    from sememe.errors import SememeError
    from sememe.index import Hit
    from sememe.profile import Profile
    from sememe.web import Client
    from sememe.zeroshot import Prediction

__version__ = "0.4.0"

__all__ = [
    "Archive",
    "Client",
    "Codec",
    "Encoded",
    "Explanation",
    "Hit",
    "Prediction",
    "Profile",
    "Record",
    "Report",
    "SememeError",
    "__version__",
    "codec_for",
    "encode_paths",
    "export",
    "load",
    "merge",
    "read_sem",
    "truncate",
    "verify",
    "write_sem",
]

_HOMES = {
    "Archive": "archive",
    "Client": "web",
    "Codec": "api",
    "Encoded": "api",
    "Explanation": "api",
    "Hit": "index",
    "Prediction": "zeroshot",
    "Profile": "profile",
    "Record": "bitstream",
    "Report": "batch",
    "SememeError": "errors",
    "codec_for": "api",
    "encode_paths": "batch",
    "export": "api",
    "load": "api",
    "merge": "api",
    "read_sem": "api",
    "truncate": "api",
    "verify": "api",
    "write_sem": "api",
}


def __getattr__(name: str) -> Any:
    """Load a public name from its module on first use (PEP 562)."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'sememe' has no attribute {name!r}")
    value = getattr(import_module(f"sememe.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, loaded or not, and the submodules that are."""
    return sorted({*globals(), *__all__})
