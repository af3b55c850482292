"""A dashboard at which people sign in, and readers who have: each in a browser context of their own.

```python
with team(folder, data=tmp_path) as dashboard:
    ada, eve = dashboard.signed_in(browser, ADA), dashboard.signed_in(browser, EVE)
    ada.go("/curves")
```
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext

from tests.browser.conftest import WAIT, Reader, reader_of
from tests.driftline import viewing
from tests.oidc import Claims, provider, secrets_toml, sign_in_at_provider

ADA, EVE, PAT, VIC, NED = (f"{name}@example.org" for name in ("ada", "eve", "pat", "vic", "ned"))
"""An admin, an editor, a prober, a viewer; and somebody in no group, who may see nothing."""

USERS: dict[str, Claims] = {
    ADA: {"email": ADA, "email_verified": True, "groups": ["insiders"]},
    EVE: {"email": EVE, "email_verified": True, "groups": ["alignment"]},
    PAT: {"email": PAT, "email_verified": True, "groups": ["probers"]},
    VIC: {"email": VIC, "email_verified": True, "groups": ["guests"]},
    NED: {"email": NED, "email_verified": True, "groups": []},
}

ACCESS = f"""
roles:
  - {{role: admin, emails: [{ADA}]}}
  - {{role: editor, groups: [alignment]}}
  - {{role: prober, groups: [probers]}}
  - {{role: viewer, groups: [guests]}}
private:
  - {{runs: ["secret-*"], groups: [insiders]}}
"""
"""Runs called secret-... are Ada's alone."""


@dataclass
class Dashboard:
    """A dashboard at which people sign in.

    Attributes:
        origin: Where people open it.
        issuer: Where they sign in.
        contexts: Of those who have, closed at the end.
    """

    origin: str
    issuer: str
    contexts: list[BrowserContext] = field(default_factory=list)

    def signed_in(self, browser: Browser, sub: str, path: str = "") -> Reader:
        """Somebody who has signed in, in a fresh browser context.

        Args:
            browser: Chromium.
            sub: Whom they sign in as: a key of `USERS`.
            path: What they open.
        """
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        self.contexts.append(context)
        page = context.new_page()
        page.goto(self.origin)
        page.get_by_role("button", name="Sign in").click(timeout=WAIT)
        page.wait_for_url(f"{self.issuer}/**", timeout=WAIT)
        sign_in_at_provider(page, sub)
        page.get_by_role("button", name="Sign out").wait_for(timeout=WAIT)
        page.close()
        # A page of its own: whoever reads from here on asks the dashboard and nobody else.
        reader = reader_of(context, self.origin)
        if path:
            reader.go(path)
        return reader


@contextmanager
def team(
    *arguments: str | Path,
    data: Path,
    users: Mapping[str, Claims] | None = None,
    access: str = ACCESS,
    origin: str | None = None,
    port: int = 0,
    said: list[str] | None = None,
) -> Iterator[Dashboard]:
    """Run `driftline view` for people who sign in.

    Args:
        arguments: Of the command.
        data: The user's folders are made in here.
        users: Claims by `sub`; those of `USERS` where none are given.
        access: The text of `access.yaml`.
        origin: Where people open it; where it serves by itself where none is given.
        port: Of the dashboard; 0 for a free one.
        said: Filled with the lines that it prints.
    """
    with provider(USERS if users is None else users) as issuer:
        home = data / "home"
        (home / ".streamlit").mkdir(parents=True)
        text = secrets_toml(issuer, origin) if origin else secrets_toml(issuer)
        (home / ".streamlit" / "secrets.toml").write_text(text, encoding="utf-8")
        file = data / "access.yaml"
        file.write_text(access, encoding="utf-8")
        env = {"HOME": str(home)}
        with viewing(*arguments, "--access", file, data=data, env=env, port=port, said=said) as (served, _):
            dashboard = Dashboard(origin or served, issuer)
            try:
                yield dashboard
            finally:
                for context in dashboard.contexts:
                    context.close()
