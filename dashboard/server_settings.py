"""How Streamlit serves the pages: its options, the theme, and what its secrets hold."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.errors import StreamlitSecretNotFoundError

from dashboard.serving import notes

THEME = Path(__file__).with_name("theme.toml")


def key_of(name: str) -> str | None:
    """A key by its name: of a server of `driftline serve`, an environment variable, a Streamlit secret; else None."""
    found = notes.key_of(name) or os.environ.get(name)
    if found:
        return found
    try:
        secret = st.secrets.get(name)
    except StreamlitSecretNotFoundError:
        return None
    return secret if isinstance(secret, str) and secret else None


def auth_section() -> Mapping[str, Any]:
    """The `[auth]` section of Streamlit's secrets: .streamlit/secrets.toml of the user or of the folder we stand in.

    Empty where there is none.
    """
    try:
        section = st.secrets.get("auth")
    except StreamlitSecretNotFoundError:
        return {}
    return section if isinstance(section, Mapping) else {}


def options(host: str, port: int, base_path: str, names: Sequence[str]) -> dict[str, Any]:
    """All options; none of them is left to a config file or to the environment that matters to who may see what.

    Args:
        host: The address that is bound.
        port: The port that is bound.
        base_path: The path that the pages lie under; "" for none.
        names: The names of this computer that a browser may ask for; any where empty.
    """
    return {
        **_theme(),
        "server.address": host,
        "server.port": port,
        "server.baseUrlPath": base_path,
        "server.allowedHosts": list(names),
        "server.enableCORS": True,
        "server.corsAllowedOrigins": [],
        "server.enableXsrfProtection": True,
        # Nobody is who a header says, and no program drives the pages without signing in.
        "server.trustedUserHeaders": {},
        "server.enableAgentApi": False,
        "server.headless": True,
        "server.fileWatcherType": "none",
        "server.runOnSave": False,
        "browser.gatherUsageStats": False,
        "logger.hideWelcomeMessage": True,
        "client.toolbarMode": "minimal",
        "client.showErrorDetails": "none",
        # No links to search engines with an error's text in them, and no magic that shows what stands alone in a page.
        "client.showErrorLinks": False,
        "runner.magicEnabled": False,
    }


def _theme() -> dict[str, Any]:
    """The theme file as flat options: Streamlit looks for a config beside the program that was started."""
    return dict(_flat("", tomllib.loads(THEME.read_text(encoding="utf-8"))))


def _flat(prefix: str, table: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(f"{prefix}{name}.", value)
        else:
            yield prefix + name, value
