"""Somewhere to sign in: a real OpenID provider on this computer, which lets anybody in as whom they like."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from oidc_provider_mock import run_server_in_thread
from playwright.sync_api import Page

Claims = Mapping[str, Any]
"""What a provider says of somebody: email, email_verified, groups and the like."""


@contextmanager
def provider(users: Mapping[str, Claims]) -> Iterator[str]:
    """Run a provider.

    Args:
        users: Claims by `sub`.

    Yields:
        The address of its issuer.
    """
    with run_server_in_thread() as server:
        issuer = f"http://localhost:{server.server_port}"
        for sub, claims in users.items():
            tell(issuer, sub, claims)
        yield issuer


def tell(issuer: str, sub: str, claims: Claims) -> None:
    """Let a provider say something of somebody, from their next sign-in on."""
    url = f"{issuer}/users/{urllib.parse.quote(sub)}"
    body, headers = json.dumps(dict(claims)).encode(), {"Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(url, body, headers, method="PUT")):
        pass


def sign_in_at_provider(page: Page, sub: str) -> None:
    """On the provider's page: sign in as somebody."""
    page.locator("input[name=sub]").fill(sub)
    page.get_by_role("button", name="Authorize").click()


def secrets_toml(issuer: str, origin: str = "http://127.0.0.1:{port}") -> str:
    """The `[auth]` section of a dashboard whose people sign in at an issuer.

    Args:
        issuer: Of the provider.
        origin: Where people open the dashboard; {port} stands for its port.
    """
    values = {
        "redirect_uri": f"{origin}/oauth2callback",
        "cookie_secret": "only-for-tests-only-for-tests-only-for-tests",
        "client_id": "driftline",
        "client_secret": "only-for-tests",
        "server_metadata_url": f"{issuer}/.well-known/openid-configuration",
    }
    return "[auth]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items())
