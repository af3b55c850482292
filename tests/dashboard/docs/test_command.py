"""`driftline docs`: serves the pages on 127.0.0.1, or writes them as files."""

from __future__ import annotations

import http.client
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboard.docs.contents import NAMES
from tests.driftline import COMMAND, driftline, environment

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port that it serves at, far from any clone."""
    data = tmp_path_factory.mktemp("docs")
    root = Path(__file__).resolve().parents[3]
    env = environment(data) | {"PYTHONPATH": str(root), "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [*COMMAND, "docs", "--no-browser"],
        cwd=data,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout
    line = process.stdout.readline()
    found = re.search(r"http://127\.0\.0\.1:(\d+)/", line)
    assert found, line + process.stdout.read()
    yield int(found[1])
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0
    assert process.stdout.read() == ""


def get(port: int, path: str, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request(method, path)
    answer = connection.getresponse()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()


def test_it_serves_pages_pictures_and_the_start(port: int) -> None:
    for path, kind in (("/", "text/html"), ("/commands.html?x=1", "text/html"), ("/docs.css", "text/css")):
        status, headers, body = get(port, path)
        assert (status, headers["content-type"]) == (200, f"{kind}; charset=utf-8")
        assert body
    status, headers, body = get(port, "/pictures/overview.png")
    assert (status, headers["content-type"], body[:4]) == (200, "image/png", b"\x89PNG")
    assert "default-src 'none'" in headers["content-security-policy"]
    assert get(port, "/commands.html", "HEAD")[2] == b""


@pytest.mark.parametrize("path", ["/gone.html", "/../pyproject.toml", "/%2e%2e/cli.py", "//etc/passwd", "/pictures/"])
def test_nothing_else_is_served(port: int, path: str) -> None:
    status, _, body = get(port, path)
    assert (status, body) == (404, b"There is no such page.\n")


def test_it_writes_files_that_need_no_server(tmp_path: Path) -> None:
    done = driftline("docs", "--out", tmp_path / "site", data=tmp_path)
    assert done.returncode == 0, done.stderr
    assert {path.stem for path in (tmp_path / "site").glob("*.html")} == set(NAMES)
    assert not re.search(r'(?:href|src)="/', (tmp_path / "site/index.html").read_text(encoding="utf-8"))


def test_a_port_in_use_and_a_folder_that_is_none_are_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = str(taken.getsockname()[1])
        said = driftline("docs", "--no-browser", "--port", number, data=tmp_path)
    assert (said.returncode, said.stderr) == (1, f"driftline: Port {number} is in use. Choose another with --port N.\n")
    (tmp_path / "file").write_text("")
    said = driftline("docs", "--out", tmp_path / "file", data=tmp_path)
    assert said.returncode == 1
    assert "can't be written to" in said.stderr


def test_it_needs_nothing_that_only_the_dashboard_needs(tmp_path: Path) -> None:
    heavy = "('streamlit', 'altair', 'pandas', 'openai', 'anthropic')"
    code = (
        f"import sys; from dashboard.cli import main; main(['docs', '--out', {str(tmp_path / 'out')!r}]);"
        f" print([m for m in {heavy} if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(tmp_path), capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
