"""Whom `driftline view` lets in, by its options: checked before anything is served."""

from __future__ import annotations

import argparse
import ipaddress
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from dashboard.access import Policy
from dashboard.access.access_file import read_access_file
from dashboard.access.sign_in import auth_problems, is_loopback
from dashboard.places import access_file
from loaders.errors import DriftlineError

DOCUMENTED = '`driftline docs`, "A team\'s server", shows both files'


def said_access(given: argparse.Namespace, auth_section: Callable[[], Mapping[str, Any]]) -> Policy | None:
    """Who may see what; None where nobody signs in.

    Args:
        given: The options host, access, without_sign_in and base_path.
        auth_section: Reads the `[auth]` section of Streamlit's secrets.

    Raises:
        DriftlineError: The access file is wrong, nobody could sign in, or others would get in without signing in.
    """
    _check_host(given.host)
    if given.without_sign_in:
        if given.access:
            raise DriftlineError("--access and --without-sign-in are mutually exclusive.")
        return None
    named = Path(given.access).expanduser() if given.access else access_file()
    if given.access or named.is_file():
        policy = read_access_file(named)
        problems = auth_problems(auth_section(), said_base_path(given.base_path))
        if problems:
            raise DriftlineError(
                f"{named} is an access file, but nobody can sign in: {'; '.join(problems)}. It stands in"
                f" .streamlit/secrets.toml of your home folder or of the one you start from. {DOCUMENTED}."
            )
        return policy
    if not is_loopback(given.host):
        raise DriftlineError(
            f"At {given.host} others can reach the dashboard, and there is no access file (looked"
            f" for {named}). Write one and name it with --access FILE ({DOCUMENTED}), or say --without-sign-in"
            " to let everybody see and do everything."
        )
    return None


def said_base_path(text: str) -> str:
    """The path that the pages lie under, without slashes at its ends.

    Raises:
        DriftlineError: It is no plain path.
    """
    path = text.strip("/")
    if path and not re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*", path):
        raise DriftlineError(f"--base-path wants a path such as /driftline, of letters, digits, - _ . /: not {text}.")
    return path


def _check_host(host: str) -> None:
    try:
        ipaddress.ip_address(host)
    except ValueError as error:
        if host != "localhost":
            raise DriftlineError(f"--host wants an IP address of this computer, or localhost: not {host}.") from error
