"""Addresses of endpoints: what is wrong with one, without repeating a secret that it may hold; and its usual form."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from dashboard.probe.models_schema import KEY_NAME
from dashboard.probe.protocols import BY_NAME

IN_THE_VARIABLE = "Put the key into an environment variable or Streamlit secret, and name that as `key`"


def url_problem(url: str) -> str | None:
    """What is wrong with an address; None where nothing is. Never repeats it: it may hold a key."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "is no address (wants one such as http://localhost:8000/v1)"
    if parts.username is not None or parts.password is not None or "@" in parts.netloc:
        return f"holds credentials, and addresses are shown and logged. {IN_THE_VARIABLE}"
    if parts.query or parts.fragment or "?" in url or "#" in url:
        return f"has a part after ? or #, and wants the base address alone. {IN_THE_VARIABLE}"
    if parts.scheme not in ("http", "https") or not host:
        return "is no address of a server (wants http:// or https://, and a host)"
    if re.search(r"[\s\x00-\x1f\x7f\\]", url):
        return "holds a space or another character that no address has"
    return None


def usual(url: str, protocol: str) -> str:
    """The address as the protocol's client wants it."""
    return BY_NAME[protocol].base(url.rstrip("/"))


def key_problem(key: str) -> str | None:
    """What is wrong with the name of a key; None where nothing is. Never repeats it: it may be the key itself."""
    parts = key.split("_")
    long_words = any(len(part) > 24 or (len(part) > 12 and re.search("[0-9]", part)) for part in parts)
    if re.fullmatch(KEY_NAME, key) and not long_words:
        return None
    return (
        "wants the NAME of an environment variable or Streamlit secret, in capitals such as VLLM_API_KEY, "
        "and this may be a key itself. Keys never stand in files, flags or addresses: set a variable, and name that"
    )
