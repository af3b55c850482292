"""Behind Debian's nginx, with the lines of the documentation, under a path: signing in, clicking through, links."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from dashboard.docs.contents import PAGES
from tests import real_parts
from tests.browser.conftest import WAIT
from tests.log_files import write_log
from tests.probe_server import free_port
from tests.signed_in import EVE, Dashboard, team

pytestmark = pytest.mark.browser

BASE = "/driftline"


def documented_lines() -> str:
    """The configuration for nginx that the documentation shows."""
    found = re.search(r"```nginx\n(.*?)```", (PAGES / "team-server.md").read_text(encoding="utf-8"), re.DOTALL)
    assert found
    return found[1]


@contextmanager
def nginx(folder: Path, port: int, dashboard_port: int) -> Iterator[None]:
    """Run nginx with the documentation's lines; only addresses and the certificate are others."""
    path = real_parts.program("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    lines = documented_lines().replace("listen 443 ssl;", f"listen 127.0.0.1:{port};")
    lines = re.sub(r"\n *ssl_certificate.*;", "", lines).replace("127.0.0.1:8501", f"127.0.0.1:{dashboard_port}")
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in
                        ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))  # fmt: skip
    config = folder / "nginx.conf"
    config.write_text(
        f"daemon off; pid {folder}/pid; error_log {folder}/error.log;\nevents {{}}\n"
        f"http {{ access_log {folder}/access.log;\n{temporary}{lines} }}\n",
        encoding="utf-8",
    )
    process = subprocess.Popen([path, "-p", str(folder), "-c", str(config), "-e", str(folder / "error.log")])
    try:
        _answers(port, process, folder)
        yield
    finally:
        process.terminate()
        process.wait(20)


def _answers(port: int, process: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            assert process.poll() is None, (folder / "error.log").read_text(encoding="utf-8")
            assert time.monotonic() < deadline
            time.sleep(0.02)
        else:
            return


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    logs, folder = tmp_path_factory.mktemp("logs"), tmp_path_factory.mktemp("nginx")
    for step, values in ((0, [1, 1, 0, 0]), (100, [1, 0, 0, 0])):
        write_log(logs / "run-a" / f"step_{step}" / "a.eval", values)
    front, back = free_port(), free_port()
    origin = f"http://127.0.0.1:{front}{BASE}"
    with (
        nginx(folder, front, back),
        team(logs, "--base-path", BASE, data=tmp_path_factory.mktemp("data"), origin=origin, port=back) as found,
    ):
        yield found


def test_under_a_path_people_sign_in_click_through_and_share_links(browser: Browser, dashboard: Dashboard) -> None:
    reader = dashboard.signed_in(browser, EVE, "/curves?run=run-a")
    expect(reader.page.get_by_text(f"{EVE} · editor")).to_be_visible(timeout=WAIT)
    reader.click_point("run-a")
    reader.click_row(0)
    reader.wait_for_address(f"{BASE}/transcript", "sample=")
    expect(reader.page.get_by_text("I will report it.").first).to_be_visible(timeout=WAIT)
    link = reader.page.url

    # The link in a fresh browser, by somebody who has to sign in first; without the slash, too.
    other = dashboard.signed_in(browser, EVE)
    other.page.goto(link)
    expect(other.page.get_by_text("I will report it.").first).to_be_visible(timeout=WAIT)
    other.page.goto(dashboard.origin)
    other.wait_for_address(f"{BASE}/overview")

    # Nothing was asked for outside the path, and the commands' routes are not to be had.
    assert reader.foreign == other.foreign == []
    outside = other.page.request.get(f"{dashboard.origin}/api/driftline/owner")
    assert "pid" not in outside.text()
    other.page.get_by_role("button", name="Sign out").click()
    other.page.wait_for_url(f"{dashboard.issuer}/**", timeout=WAIT)
    other.page.get_by_role("button", name="End session").click()
    expect(other.page.get_by_role("button", name="Sign in")).to_be_visible(timeout=WAIT)
    assert other.page.url.startswith(dashboard.origin)
