"""Packages with formats, installed as pip leaves them: modules and a dist-info in a folder on the path."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from loaders.registry import GROUP, registered


@contextmanager
def installed(
    site: Path,
    modules: Mapping[str, str],
    entries: Mapping[str, str],
    *,
    name: str = "odd-formats",
    version: str = "1.0",
) -> Iterator[None]:
    """A package, installed for as long as it is wanted.

    Args:
        site: The folder; made where it is not there.
        modules: Its files with their texts.
        entries: Its formats, each with its module.
        name: Of the package.
        version: Of the package.
    """
    folder = site / f"{name.replace('-', '_')}-{version}.dist-info"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    lines = [f"[{GROUP}]", *(f"{entry} = {module}" for entry, module in entries.items())]
    (folder / "entry_points.txt").write_text("\n".join(lines) + "\n")
    for file, text in modules.items():
        (site / file).write_text(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "dont_write_bytecode", True)
        patch.syspath_prepend(site)
        registered.cache_clear()
        try:
            yield
        finally:
            registered.cache_clear()
            for module in entries.values():
                sys.modules.pop(module, None)
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
