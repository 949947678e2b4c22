"""How the API refuses: one line of reason, and a status that its description names."""

from __future__ import annotations

from typing import Any

__all__ = ["ALWAYS", "SENDING", "may"]

_MEANINGS = {
    401: "a token is needed",
    403: "asked by another page",
    404: "there is no such thing",
    408: "the body took too long to arrive",
    413: "the body is too large",
    421: "the server does not go by that name",
    422: "the question makes no sense",
    429: "too many requests",
    503: "not possible here, or not now",
}

_ONE_LINE = {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}}


def may(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Describe the statuses by which a question may be refused."""
    content = {"application/json": {"schema": _ONE_LINE}}
    return {status: {"description": _MEANINGS[status], "content": content} for status in statuses}


ALWAYS = may(401, 421, 429, 503)
"""By which any question may be."""

SENDING = (403, 408, 413)
"""By which those that send something may be as well."""
