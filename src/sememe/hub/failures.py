"""What can go wrong between here and a hub, each under its own name, with what to do about it."""

from __future__ import annotations

import http.client
import ssl
import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from sememe.errors import (
    AccessDeniedError,
    ConnectionCutError,
    DownloadError,
    DownloadTimeoutError,
    HubBusyError,
    HubUnreachableError,
    NotOnHubError,
    UnexpectedAnswerError,
)

CHECK = "check HF_ENDPOINT, the proxy, and whether the network wants a login"


class Transient(Exception):  # noqa: N818 - not an error yet: another attempt may do
    """A failure that may pass; `error` is what it is when it does not.

    Parameters
    ----------
    error : DownloadError
        What to raise in the end.
    after : float, optional
        Seconds after which the server wants to be asked again.
    """

    def __init__(self, error: DownloadError, after: float | None = None) -> None:
        super().__init__(str(error))
        self.error = error
        self.after = after


def host_of(url: str) -> str:
    """Host and port of an address, without what may be secret in it."""
    return urlsplit(url).netloc.rpartition("@")[2]


def refusal(status: int, retry_after: str | None, what: str, host: str) -> DownloadError | Transient:
    """The error that a status of HTTP stands for."""
    if status in {401, 403}:
        return AccessDeniedError(
            f"{what}: {host} refuses it (HTTP {status}): private, gated or misspelt; accept the model's "
            "conditions on its page and set HF_TOKEN"
        )
    if status in {404, 410}:
        return NotOnHubError(
            f"{what}: {host} does not have it (HTTP {status}); check the name and the revision"
        )
    if status in {408, 429} or status >= 500:
        after = _seconds(retry_after)
        later = "later" if after is None else f"in {after:g} s"
        error = HubBusyError(f"{what}: {host} is overloaded or broken (HTTP {status}); try again {later}")
        return Transient(error, after)
    return UnexpectedAnswerError(f"{what}: {host} answered HTTP {status}; {CHECK}")


def _seconds(text: str | None) -> float | None:
    """Seconds of a Retry-After header; a date is taken for no wish."""
    return float(text) if text and text.strip().isdecimal() and len(text) < 9 else None


@contextmanager
def transport(what: str, url: str) -> Iterator[None]:
    """Name what goes wrong on the way; it belongs around every read from an answer, too.

    Raises
    ------
    DownloadError
        Another attempt will not help.
    Transient
        It might.
    """
    try:
        yield
    except urllib.error.URLError as exc:
        reason = exc.reason if isinstance(exc.reason, BaseException) else exc
        raise _named(reason, what, host_of(url)) from exc
    except (OSError, http.client.HTTPException) as exc:
        raise _named(exc, what, host_of(url)) from exc


def _named(reason: BaseException, what: str, host: str) -> DownloadError | Transient:
    match reason:
        case ssl.SSLCertVerificationError():
            return HubUnreachableError(
                f"{what}: the certificate of {host} is not trusted; set SSL_CERT_FILE "
                f"({reason.verify_message})"
            )
        case TimeoutError():
            text = "was silent for too long; run it again to go on, or raise HF_HUB_DOWNLOAD_TIMEOUT"
            return Transient(DownloadTimeoutError(f"{what}: {host} {text}"))
        case ConnectionResetError() | BrokenPipeError() | http.client.IncompleteRead():
            return Transient(ConnectionCutError(f"{what}: {host} cut the connection; run it again to go on"))
        case http.client.HTTPException():
            return UnexpectedAnswerError(f"{what}: {host} does not speak as a hub does; {CHECK}")
    text = getattr(reason, "strerror", None) or str(reason)
    return Transient(
        HubUnreachableError(
            f"{what}: cannot reach {host} ({text}); check the network, HF_ENDPOINT and the proxy"
        )
    )
