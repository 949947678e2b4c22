"""The page: an archive in the browser, and the HTTP API behind it. Needs the extra `[web]`.

::

    create_app("photos.sems")   an ASGI application; `sememe serve` runs it
    Client(url)                 the same questions, asked from Python

===============  ===================================================================
`library`        one archive, asked by many at once
`state`, `kept`  the same at one moment, and what makes its answers fast
`terms`          a query as typed in a browser: never a path
`pictures`       thumbnails of the archive's own pictures, of nothing else
`thumbnails`     a code beside thumbnails of as few bytes
`drawing`        pictures drawn from codes, marked as such
`summary`        what `sememe report` shows of an archive
`guards`         who may ask, how often, how much: hosts, token, rate, size, headers
`connections`    sockets that drip are closed
`pools`          the threads that answer
`routes`         paths to questions, answers to JSON; `refusals` are the other answers
`client`         the other end
===============  ===================================================================
"""

from __future__ import annotations

from sememe.web.app import create_app
from sememe.web.client import Client

__all__ = ["Client", "create_app"]
