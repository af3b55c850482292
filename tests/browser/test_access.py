"""Signing in, in a real browser: who is nobody sees nothing, and people see by their roles."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import WAIT, reader_of
from tests.log_files import write_log
from tests.oidc import sign_in_at_provider
from tests.signed_in import ADA, EVE, NED, Dashboard, team

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    folder = tmp_path_factory.mktemp("logs")
    for run, values in (("run-a", [1, 1, 0, 0]), ("secret-run", [1, 1, 1, 0])):
        for step in (0, 100):
            write_log(folder / run / f"step_{step}" / "a.eval", values)
    with team(folder, data=tmp_path_factory.mktemp("data")) as found:
        yield found


def test_a_link_is_kept_over_signing_in(browser: Browser, dashboard: Dashboard) -> None:
    context = browser.new_context()
    dashboard.contexts.append(context)
    reader = reader_of(context, dashboard.origin)
    reader.page.goto(f"{dashboard.origin}/curves?run=run-a&log_x=true")
    reader.page.get_by_role("button", name="Sign in").click(timeout=WAIT)
    sign_in_at_provider(reader.page, EVE)
    reader.wait_for_address("/curves", "run=run-a", "log_x=true")
    expect(reader.page.get_by_text(f"{EVE} · editor")).to_be_visible(timeout=WAIT)


def test_who_is_in_no_group_sees_nothing(browser: Browser, dashboard: Dashboard) -> None:
    context = browser.new_context()
    dashboard.contexts.append(context)
    page = context.new_page()
    page.goto(f"{dashboard.origin}/curves")
    page.get_by_role("button", name="Sign in").click(timeout=WAIT)
    sign_in_at_provider(page, NED)
    expect(page.get_by_role("heading", name="There is nothing here for you")).to_be_visible(timeout=WAIT)
    assert "run-a" not in page.content()


def test_signing_out(browser: Browser, dashboard: Dashboard) -> None:
    reader = dashboard.signed_in(browser, ADA, "/overview")
    other = reader_of(reader.page.context, dashboard.origin)
    other.go("/samples")
    reader.page.get_by_role("button", name="Sign out").click()
    expect(other.page.get_by_role("heading", name="Sign in again")).to_be_visible(timeout=WAIT)
