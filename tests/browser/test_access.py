"""Signing in, in a real browser: who is nobody sees nothing, and people see and do by their roles."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, WebSocket, expect

from tests.browser.conftest import BRIEFLY, WAIT, Reader, press, reader_of
from tests.oidc import sign_in_at_provider
from tests.private_runs import MARKER, write_study
from tests.signed_in import ADA, EVE, NED, VIC, Dashboard, team

pytestmark = pytest.mark.browser

ACCESS = f"""
roles:
  - {{role: admin, emails: [{ADA}]}}
  - {{role: editor, groups: [alignment]}}
  - {{role: viewer, groups: [guests]}}
private:
  - {{runs: ["{MARKER}-*"], groups: [insiders]}}
"""
TRANSCRIPT = f"/transcript?log={MARKER}-run-100-honeypot&sample={MARKER}%20question%201&epoch=1"


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    folder = write_study(tmp_path_factory.mktemp("logs") / "study")
    with team(folder, data=tmp_path_factory.mktemp("data"), access=ACCESS) as found:
        yield found


def heard(reader: Reader) -> list[bytes]:
    """All that comes to a page over its websockets, from now on."""
    messages: list[bytes] = []

    def listen(socket: WebSocket) -> None:
        socket.on("framereceived", lambda data: messages.append(data if isinstance(data, bytes) else data.encode()))

    reader.page.on("websocket", listen)
    return messages


def fresh(browser: Browser, dashboard: Dashboard) -> Reader:
    """Somebody who has not signed in."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    dashboard.contexts.append(context)
    return reader_of(context, dashboard.origin)


PAGES = ["", "/overview", "/curves?run=plain", "/samples", "/data?show=Runs", "/audit", TRANSCRIPT]


def test_who_has_not_signed_in_is_sent_nothing_of_the_study(browser: Browser, dashboard: Dashboard) -> None:
    reader = fresh(browser, dashboard)
    messages = heard(reader)
    for path in PAGES:
        reader.page.goto(dashboard.origin + path)
        expect(reader.page.get_by_role("button", name="Sign in")).to_be_visible(timeout=WAIT)
        expect(reader.page.get_by_test_id("stTopNavLink")).to_have_count(0, timeout=BRIEFLY)
        assert "honeypot" not in reader.page.content()
    sent = b"".join(messages)
    assert b"Sign in" in sent
    for word in (b"honeypot", b"documents", b"stories", b"Dilemma", MARKER.encode()):
        assert word not in sent


def test_a_forged_or_foreign_cookie_signs_nobody_in(browser: Browser, dashboard: Dashboard) -> None:
    signed_in = dashboard.signed_in(browser, ADA)
    cookies = signed_in.page.context.cookies()
    genuine = next(cookie for cookie in cookies if cookie["name"] == "_streamlit_user")
    assert genuine["httpOnly"]
    changed = genuine["value"][:-3] + ("aaa" if not genuine["value"].endswith("aaa") else "bbb")
    for value in (changed, "", "eyJpc19sb2dnZWRfaW4iOnRydWV9", genuine["value"][::-1]):
        reader = fresh(browser, dashboard)
        reader.page.context.add_cookies([{"name": "_streamlit_user", "value": value, "url": dashboard.origin}])
        reader.page.goto(dashboard.origin + "/curves")
        expect(reader.page.get_by_role("button", name="Sign in")).to_be_visible(timeout=WAIT)


def test_a_private_run_is_there_for_one_and_not_for_the_other(browser: Browser, dashboard: Dashboard) -> None:
    ada, eve = dashboard.signed_in(browser, ADA), dashboard.signed_in(browser, EVE)
    ada.go(TRANSCRIPT)
    expect(ada.page.get_by_text(f"{MARKER} question 1").first).to_be_visible(timeout=WAIT)
    messages = heard(eve)
    eve.go(TRANSCRIPT)
    expect(eve.page.get_by_text("No log with the key").first).to_be_visible(timeout=WAIT)
    # The address is Eve's own; nothing else holds the word.
    messages.clear()
    for path in ("/overview", "/curves", "/mixes", "/samples", "/data?show=Files", "/data?show=Batches", "/probe"):
        eve.go(path)
        eve.page.get_by_text("Data of").first.wait_for(timeout=WAIT)
        assert MARKER not in eve.page.content()
    assert len(messages) > 7
    assert MARKER.encode() not in b"".join(messages)
    ada.go("/curves")
    panel = ada.page.get_by_test_id("stSidebar").get_by_test_id("stDataFrame")
    expect(panel).to_contain_text(f"The {MARKER}", timeout=WAIT)
    assert ada.foreign == eve.foreign == []


def test_the_audit_log_is_for_admins(browser: Browser, dashboard: Dashboard) -> None:
    ada, vic = dashboard.signed_in(browser, ADA, "/overview"), dashboard.signed_in(browser, VIC, "/overview")
    expect(vic.page.get_by_text(f"{VIC} · viewer")).to_be_visible(timeout=WAIT)
    assert not _in_menu(vic, "Audit log")
    vic.go("/audit")
    expect(vic.page.get_by_text("The audit log takes the role admin.")).to_be_visible(timeout=WAIT)
    ada.go("/audit")
    expect(ada.page.get_by_text("entries, newest first")).to_be_visible(timeout=WAIT)
    # Beside a sidebar the menu has no room for all of its sections.
    ada.go("/overview")
    assert _in_menu(ada, "Audit log")


def _in_menu(reader: Reader, page: str) -> bool:
    """Whether the menu of the store's pages leads to a page."""
    menu = reader.page.get_by_test_id("stTopNavSection").filter(has_text="Data")
    if menu.count():
        menu.click()
    links = reader.page.get_by_test_id("stTopNavLink").or_(reader.page.get_by_test_id("stTopNavDropdownLink"))
    expect(links.filter(has_text="Data").first).to_be_visible(timeout=WAIT)
    return links.filter(has_text=page).count() > 0


def test_a_link_is_kept_over_signing_in(browser: Browser, dashboard: Dashboard) -> None:
    context = browser.new_context()
    dashboard.contexts.append(context)
    reader = reader_of(context, dashboard.origin)
    reader.page.goto(f"{dashboard.origin}/curves?run=plain&log_x=true")
    reader.page.get_by_role("button", name="Sign in").click(timeout=WAIT)
    sign_in_at_provider(reader.page, EVE)
    reader.wait_for_address("/curves", "run=plain", "log_x=true")
    expect(reader.page.get_by_text(f"{EVE} · editor")).to_be_visible(timeout=WAIT)


def test_who_is_in_no_group_sees_nothing(browser: Browser, dashboard: Dashboard) -> None:
    context = browser.new_context()
    dashboard.contexts.append(context)
    page = context.new_page()
    page.goto(f"{dashboard.origin}/curves")
    page.get_by_role("button", name="Sign in").click(timeout=WAIT)
    sign_in_at_provider(page, NED)
    expect(page.get_by_role("heading", name="No access")).to_be_visible(timeout=WAIT)
    assert "honeypot" not in page.content()


def test_signing_out(browser: Browser, dashboard: Dashboard) -> None:
    reader = dashboard.signed_in(browser, ADA, "/overview")
    other = reader_of(reader.page.context, dashboard.origin)
    other.go("/samples")
    press(reader.page.get_by_role("button", name="Sign out"))
    expect(other.page.get_by_role("heading", name="Sign in again")).to_be_visible(timeout=WAIT)
