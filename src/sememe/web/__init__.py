"""The page: an archive in the browser, and the HTTP API behind it. Needs the extra `[web]`.

::

    create_app("photos.sems")   an ASGI application; `sememe serve` runs it
    Client(url)                 the same questions, asked from Python

==============  ====================================================================
`library`       one archive, asked by many at once
`terms`         a query as typed in a browser: never a path
`pictures`      thumbnails of the archive's own pictures, of nothing else
`guards`        who may ask, how often, how much: hosts, token, rate, size, headers
`routes`        paths to questions, answers to JSON
`client`        the other end
==============  ====================================================================
"""

from __future__ import annotations

from sememe.web.app import create_app
from sememe.web.client import Client

__all__ = ["Client", "create_app"]
