"""A probe as genuine Inspect logs: they open in Inspect View and come back through Driftline's own loader.

Written by hand rather than by inspect_ai, which would add 46 packages and 147 MB to an installation (two thirds more
packages than there are) for one button; the tests read every kind of export with inspect_ai itself.
"""

from __future__ import annotations

from msgspec import Struct

from dashboard.probe.export.archive import archive
from dashboard.probe.export.log import LogDocuments, documents
from dashboard.queries.probes import SavedProbe
from loaders.errors import DriftlineError

__all__ = ["ExportedFile", "export", "export_logs"]


class ExportedFile(Struct, frozen=True):
    """A file to be downloaded."""

    name: str
    data: bytes
    media_type: str


def export(probe: SavedProbe) -> ExportedFile:
    """A probe as one file: an `.eval` log, or a zip of several, since a log is of one model.

    The same probe gives the same bytes.

    Raises:
        DriftlineError: Nothing was asked.
    """
    logs = export_logs(probe)
    if len(logs) == 1:
        return logs[0]
    if not logs:
        raise DriftlineError("Nothing to export: no model was prompted.")
    packed = archive([(log.name, log.data) for log in logs], probe.created_at, packed=False)
    return ExportedFile(f"probe_{probe.probe_id}.zip", packed, "application/zip")


def export_logs(probe: SavedProbe) -> list[ExportedFile]:
    """A log for each column that was asked anything, in their order."""
    return [_file(probe, log) for log in documents(probe)]


def _file(probe: SavedProbe, log: LogDocuments) -> ExportedFile:
    data = archive(log.members, probe.created_at)
    return ExportedFile(log.name, data, "application/octet-stream")
