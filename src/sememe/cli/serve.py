"""`sememe serve`: an archive in the browser."""

from __future__ import annotations

import argparse
import secrets
import sys
from typing import Any

from sememe.cli import options
from sememe.cli.output import Output
from sememe.errors import MissingExtraError, StorageError, UsageError

NAME = "serve"
SUMMARY = "open an archive in the browser: search it, see what survives in few bytes"
EXAMPLE = "sememe serve photos.sems"

_HOST, _PORT = "127.0.0.1", 8642
_MAKE_ONE = "auto"
_RATE = 50


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's own arguments."""
    parser.add_argument("archive", metavar="ARCHIVE", help="archive to show")
    parser.add_argument(
        "--host", default=_HOST, help=f"address to listen at (default {_HOST}: this machine only)"
    )
    parser.add_argument("--port", type=int, default=_PORT, help=f"port (default {_PORT}; 0 takes a free one)")
    parser.add_argument(
        "--root", metavar="DIR", help="folder that the archive's paths start from (default: here)"
    )
    options.add_device(parser)
    parser.add_argument("--write", action="store_true", help="let pictures be added from the page")
    parser.add_argument(
        "--token", help="ask for this token; `auto` makes one up (the default beyond this machine)"
    )
    parser.add_argument(
        "--allow-host", action="append", default=[], metavar="NAME", help="another name the server goes by"
    )
    parser.add_argument(
        "--rate",
        type=float,
        default=_RATE,
        metavar="N",
        help=f"requests a second that one address may send (default {_RATE}; 0: no limit)",
    )


def run(args: argparse.Namespace, out: Output) -> int:
    """Serve until interrupted."""
    from sememe.web import create_app
    from sememe.web.app import LOOPBACK
    from sememe.web.guards import Limits

    if not args.rate >= 0:
        raise UsageError(f"--rate is a number of requests from 0, not {args.rate}")
    local = args.host in LOOPBACK
    made_up = args.token == _MAKE_ONE or (args.token is None and not local)
    token = secrets.token_urlsafe(16) if made_up else args.token
    hosts = LOOPBACK | {args.host, *args.allow_host}
    app = create_app(
        args.archive,
        root=args.root,
        write=args.write,
        token=token,
        hosts=frozenset(hosts),
        limits=Limits(per_second=args.rate, burst=4 * args.rate),
        eager=True,
    )
    _serve(app, args, token, out)
    return 0


def _serve(app: Any, args: argparse.Namespace, token: str | None, out: Output) -> None:
    try:
        import uvicorn
    except ImportError as exc:
        raise MissingExtraError("the page needs uvicorn: pip install 'sememe[web]'") from exc
    from sememe.web.connections import Connection

    config = uvicorn.Config(
        app,
        http=Connection,
        ws="none",
        host=args.host,
        port=args.port,
        log_level="warning",
        access_log=False,
        limit_concurrency=200,
        timeout_keep_alive=15,
        h11_max_incomplete_event_size=32 << 10,
        server_header=False,
        lifespan="off",
    )
    try:
        listening = config.bind_socket()
        listening.listen()  # whoever opens the address at once waits instead of being refused
    except (OSError, SystemExit) as exc:
        raise StorageError(f"{args.host}:{args.port}: cannot listen there; choose another --port") from exc
    port = listening.getsockname()[1]
    query = "" if token is None else f"?token={token}"
    url = f"http://{args.host}:{port}/{query}"
    out.record({"url": url, "archive": args.archive}, url)
    sys.stdout.flush()
    out.note("press Ctrl-C to stop")
    uvicorn.Server(config).run(sockets=[listening])
