"""`driftline docs`."""

from __future__ import annotations

import argparse
import sys
import webbrowser
from contextlib import suppress
from pathlib import Path

from dashboard.console.printing import out
from dashboard.docs import site
from dashboard.docs.serving import HOST, server


def docs(given: argparse.Namespace) -> int:
    """Render the documentation; serve it, or write it as files."""
    made = site.build(given.parser())
    if given.out:
        folder = Path(given.out).expanduser()
        site.write(made, folder)
        out.print(f"The documentation is in {folder}: open {folder / 'index.html'}")
        return 0
    with server(made.files, given.port or 0) as serving:
        address = f"http://{HOST}:{serving.server_address[1]}/"
        out.print(f"The documentation is at {address} (Ctrl+C ends it)")
        if not given.no_browser and sys.stdout.isatty():
            webbrowser.open(address)
        with suppress(KeyboardInterrupt):
            serving.serve_forever()
    return 0
