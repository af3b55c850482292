"""Zips whose bytes depend on nothing but their content."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable
from datetime import datetime
from typing import Any

EARLIEST = (1980, 1, 1, 0, 0, 0)
"""What a zip can tell."""


def archive(members: Iterable[tuple[str, Any]], created: datetime, *, packed: bool = True) -> bytes:
    """A zip.

    Args:
        members: Name and content: bytes as they are, anything else as JSON.
        created: The time that all members bear.
        packed: Whether they are deflated.
    """
    when = max(created.timetuple()[:6], EARLIEST)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as zipped:
        for name, content in members:
            info = zipfile.ZipInfo(name, when)
            info.create_system = 3  # whatever the system is
            info.external_attr = 0o644 << 16
            info.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
            zipped.writestr(info, content if isinstance(content, bytes) else json_bytes(content))
    return file.getvalue()


def json_bytes(value: Any) -> bytes:
    """JSON as Inspect writes it: NaN, which is a score that could not be given, stands as NaN."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
