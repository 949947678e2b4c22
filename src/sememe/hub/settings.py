"""What the environment says: where models lie, whom to ask, whether to ask at all.

The names are those of huggingface_hub, so that one setting serves both; `SEMEME_` ones are ours.
"""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

from sememe.errors import UsageError

_TRUE = {"1", "on", "yes", "true"}


def stores() -> tuple[Path, ...]:
    """Folders that hold ``models--ORG--NAME``, in the order of search; `pull` writes to the first."""
    own = os.environ.get("SEMEME_HOME")
    return (*((_path(own) / "hub",) if own else ()), _hub_cache())


def _hub_cache() -> Path:
    """Where huggingface_hub keeps what it downloads."""
    cache = os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE")
    if cache:
        return _path(cache)
    home = os.environ.get("HF_HOME")
    if home:
        return _path(home) / "hub"
    return _path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "huggingface" / "hub"


def _path(text: str) -> Path:
    return Path(os.path.expandvars(text)).expanduser().absolute()


def is_offline(asked: bool | None = None) -> bool:
    """Whether no socket may be opened: as asked, else as the environment says."""
    if asked is not None:
        return asked
    return any(_is_set(name) for name in ("SEMEME_OFFLINE", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"))


def pulls_by_itself() -> bool:
    """Whether using a model that is not here may fetch it."""
    return _is_set("SEMEME_AUTO_PULL")


def _is_set(name: str) -> bool:
    return os.environ.get(name, "").lower() in _TRUE


def endpoint() -> str:
    """Address of the hub or of its mirror, without a slash at the end."""
    url = (os.environ.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/")
    try:
        parts = urlsplit(url)
        sound = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        sound = False
    if not sound or not url.isascii() or not url.isprintable() or " " in url:
        raise UsageError(f"HF_ENDPOINT={url}: not the address of a hub; write https://HOST")
    return url


def token() -> str | None:
    """The user's token for private and gated models, if there is one."""
    text = os.environ.get("HF_TOKEN", "").strip()
    if not text.isascii() or not text.isprintable():
        raise UsageError("HF_TOKEN: not a token, which is plain letters and digits")
    return text or None


def timeout() -> float:
    """Seconds that the hub may be silent."""
    text = os.environ.get("HF_HUB_DOWNLOAD_TIMEOUT") or "20"
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 1e6:
        raise UsageError(f"HF_HUB_DOWNLOAD_TIMEOUT={text}: not a number of seconds")
    return seconds
