"""`driftline view`."""

from __future__ import annotations

import argparse
import sys
import webbrowser
from pathlib import Path

from dashboard import commands
from dashboard.admission import said_access, said_base_path
from dashboard.console.ingest_report import print_report
from dashboard.console.ingesting import absolute, ingested
from dashboard.console.opening import Shared, check_there, owned, store_place
from dashboard.console.printing import err, out
from dashboard.handover import Owner
from dashboard.places import bundled_studies, models_file
from dashboard.probe.endpoints import Declared
from dashboard.probe.models_file import parse_endpoint, read_models_file, together
from dashboard.server import Place, free_port, serve
from dashboard.server_settings import auth_section


def view(given: argparse.Namespace) -> int:
    """Ingest, then serve."""
    access = said_access(given, auth_section)
    base_path = said_base_path(given.base_path)
    path = store_place(given, [given.path] if given.path else [])
    # What others bring into a store that is shared needs no folder here.
    shown = [] if isinstance(path, Shared) else bundled_studies()
    roots = [Path(given.path).expanduser()] if given.path else shown
    check_there(given.path)
    declared = _declared(given)
    arguments = commands.IngestArguments([str(root.resolve()) for root in roots], absolute(given.study))
    with owned(path) as place:
        if not isinstance(place, Owner):  # told before an ingest that may take long; nothing is bound yet
            free_port(given.port, given.host)
        watched: list[Path] = []
        if roots:
            report = ingested(place, arguments)
            print_report(report, brief=True)
            watched = [Path(p) for p in report.roots]
        if isinstance(place, Owner):
            out.print(f"A dashboard on this store is running already (process {place.pid}).")
            if given.models or given.endpoint or access:
                err.print(
                    "It keeps the endpoints and access file that it was started with: end it first to change them."
                )
            _open(place.url, given.no_browser)
            return 0
        # The port is looked for last: while it is not bound, another program could take it.
        where = Place(given.host, free_port(given.port, given.host), base_path, given.without_sign_in)
        serve(
            place, where, watched, declared, access, given.parser(), lambda url: _open(url, given.no_browser)
        )  # fmt: skip
    return 0


def _declared(given: argparse.Namespace) -> Declared:
    """The endpoints of the models file and of the flags."""
    named = Path(given.models).expanduser() if given.models else models_file()
    declared = read_models_file(named) if given.models or named.is_file() else Declared()
    return together(declared, map(parse_endpoint, given.endpoint))


def _open(url: str, no_browser: bool) -> None:
    out.print(f"Driftline is at {url} (Ctrl+C ends it)")
    if not no_browser and sys.stdout.isatty():
        webbrowser.open(url)
