"""The rendered site beside the dashboard's pages, which need no other program for it, and no network."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Mapping
from functools import cache

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from dashboard.docs.contents import HOME
from dashboard.docs.serving import PLACE, found


def routes(base_path: str, commands: argparse.ArgumentParser) -> list[Route]:
    """The routes of the site; it is rendered when it is first asked for.

    Args:
        base_path: The path that the pages lie under, without slashes at its ends; "" for none.
        commands: The parser of all commands, which the reference is made of.
    """
    root = f"/{base_path}/{PLACE}" if base_path else f"/{PLACE}"

    @cache
    def files() -> Mapping[str, bytes]:
        # What renders takes a while to load, and most who open the dashboard don't read this.
        from dashboard.docs.site import build

        return build(commands).files

    async def home(_request: Request) -> Response:
        # Links in the site are relative to its folder.
        return RedirectResponse(f"{PLACE}/{HOME}.html")

    async def file(request: Request) -> Response:
        status, headers, content = found(await asyncio.to_thread(files), request.path_params["path"])
        return Response(content, status, headers)

    return [Route(root, home), Route(f"{root}/{{path:path}}", file)]
