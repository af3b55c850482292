"""What signing in needs to be told: the `[auth]` section of Streamlit's secrets, checked before anything is served."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

NEEDED = ("redirect_uri", "cookie_secret", "client_id", "client_secret", "server_metadata_url")
SHORTEST_SECRET = 32
CALLBACK = "oauth2callback"


def auth_problems(section: Mapping[str, Any], base_path: str) -> list[str]:
    """What is wrong with an `[auth]` section, in sentences that repeat no secret; none where people can sign in.

    Args:
        section: The section; empty where there is none.
        base_path: The path that the pages lie under, without slashes at its ends; "" for none.
    """
    missing = [name for name in NEEDED if not (isinstance(section.get(name), str) and section[name].strip())]
    if missing:
        return [f"[auth] lacks {', '.join(missing)}"]
    found = []
    if len(section["cookie_secret"]) < SHORTEST_SECRET:
        found.append(f"[auth] cookie_secret is too short: it wants {SHORTEST_SECRET} random characters or more")
    wanted = f"/{base_path}/{CALLBACK}" if base_path else f"/{CALLBACK}"
    address = urlsplit(section["redirect_uri"].replace("{port}", "1"))
    if address.scheme not in ("http", "https") or not address.hostname or address.path != wanted:
        found.append(f"[auth] redirect_uri wants the dashboard's address with the path {wanted}")
    elif address.scheme == "http" and not is_loopback(address.hostname):
        found.append("[auth] redirect_uri wants https: over http, who signs in can be read on the way")
    return found


def address_to_open(redirect_uri: str, port: int) -> str:
    """Where people open the dashboard: the address that the provider sends them back to, without its last part."""
    return redirect_uri.replace("{port}", str(port)).removesuffix(f"/{CALLBACK}")


def is_loopback(host: str) -> bool:
    """Whether only this computer reaches an address: one of 127.0.0.0/8, ::1, or localhost."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
