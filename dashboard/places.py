"""Where things lie on this computer: the studies that come along, and the stores that belong to folders of logs."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import platformdirs

STORE_VARIABLE = "DRIFTLINE_STORE"


def demo_study() -> Path:
    """The folder of the demo study."""
    return _bundled("demo")


def small_study() -> Path:
    """The folder of the small study that was really trained: run cards, adapters, logs."""
    return _bundled("smol")


def bundled_studies() -> list[Path]:
    """The folders that are shown where none is named."""
    return [folder for folder in (demo_study(), small_study()) if folder.is_dir()]


def _bundled(name: str) -> Path:
    """A study that comes with Driftline: packaged beside the dashboard, or in `runs/` of a source tree."""
    here = Path(__file__).resolve().parent
    packaged = here / "demo_runs"
    return (packaged if packaged.is_dir() else here.parent / "runs") / name


def models_file() -> Path:
    """Where the endpoints stand that a user's dashboards may ask, where no other file is named."""
    return _configuration() / "models.yaml"


def access_file() -> Path:
    """Where it stands who may see what in a user's dashboards, where no other file is named."""
    return _configuration() / "access.yaml"


def _configuration() -> Path:
    return platformdirs.user_config_path("driftline", appauthor=False)


def store_for(path: Path) -> Path:
    """The store that belongs to a folder of logs where none is named: one a folder, among the user's data.

    `DRIFTLINE_STORE` names another one for everything.
    """
    named = os.environ.get(STORE_VARIABLE)
    if named:
        return Path(named).expanduser().resolve()
    folder = path.expanduser().resolve()
    key = hashlib.sha256(str(folder).encode()).hexdigest()[:8]
    return (
        platformdirs.user_data_path("driftline", appauthor=False) / "stores" / f"{folder.name or 'root'}-{key}.duckdb"
    )
