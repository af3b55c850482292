"""`driftline view`: whom it lets in is settled before anything is served, and said in words that help."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from dashboard.admission import said_access, said_base_path
from dashboard.cli import parser
from dashboard.handover import find_owner, note_path
from loaders.errors import DriftlineError
from tests.driftline import driftline, driftline_process, environment, viewing
from tests.log_files import write_log
from tests.oidc import secrets_toml
from tests.signed_in import ACCESS

pytestmark = pytest.mark.slow


def other_address() -> str | None:
    """An address of this computer besides loopback, without asking anybody; None where it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        try:
            asking.connect(("192.0.2.1", 9))
        except OSError:
            return None
        return str(asking.getsockname()[0])


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    write_log(tmp_path / "logs" / "run-a" / "step_0" / "a.eval", [1, 0])
    return tmp_path / "logs"


@pytest.fixture
def access(tmp_path: Path) -> Path:
    file = tmp_path / "access.yaml"
    file.write_text(ACCESS, encoding="utf-8")
    return file


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's folders, which are the test's own here and in commands."""
    folder = tmp_path / "data"
    for name, value in environment(folder).items():
        monkeypatch.setenv(name, value)
    return folder


def admitted(*words: str | Path, auth: Mapping[str, Any] | None = None) -> object:
    """What `driftline view` finds out before it does anything else."""
    given = parser().parse_args(["view", *map(str, words)])
    return said_access(given, lambda: auth or {}), said_base_path(given.base_path)


def refused(*words: str | Path, auth: Mapping[str, Any] | None = None) -> str:
    with pytest.raises(DriftlineError) as told:
        admitted(*words, auth=auth)
    return str(told.value)


def refused_process(*words: str | Path, data: Path) -> str:
    """The same of a real command, which ends without having served anything."""
    done = driftline_process("view", *words, "--no-browser", "--port", "0", data=data, timeout=300)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "Driftline is at" not in done.stdout
    return done.stderr


def test_who_is_not_let_in_is_told_by_a_command_that_serves_nothing(logs: Path, data: Path) -> None:
    told = refused_process(logs, "--host", "192.0.2.7", data=data)
    assert "At 192.0.2.7 others can reach the dashboard, and there is no access file" in told


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7"])
def test_others_are_not_let_in_without_an_access_file(host: str, logs: Path) -> None:
    told = refused(logs, "--host", host)
    assert f"At {host} others can reach the dashboard, and there is no access file" in told
    assert "--without-sign-in" in told


def test_an_access_file_by_which_nobody_could_sign_in_is_refused(
    logs: Path, access: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = refused(logs, "--access", access)
    assert "nobody can sign in: [auth] lacks redirect_uri, cookie_secret, client_id" in told
    home = tmp_path / "home"
    monkeypatch.setenv("HOME", str(home))
    (home / ".streamlit").mkdir(parents=True)
    text = secrets_toml("http://localhost:1")
    (home / ".streamlit" / "secrets.toml").write_text(text, encoding="utf-8")
    told = refused_process(logs, "--access", access, "--base-path", "/driftline", data=data)
    assert "redirect_uri wants the dashboard's address with the path /driftline/oauth2callback" in told
    assert "only-for-tests" not in told


def test_the_access_file_of_the_configuration_folder_counts_by_itself(logs: Path, data: Path) -> None:
    place = data / "config" / "driftline"
    place.mkdir(parents=True)
    (place / "access.yaml").write_text("roles: []", encoding="utf-8")
    assert "access.yaml: line 1: roles: wants a list" in refused(logs)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--access", "/nowhere/a.yaml"], "/nowhere/a.yaml: can't be read"),
        (["--access", "{access}", "--without-sign-in"], "mutually exclusive"),
        (["--host", "evals.example.org"], "--host wants an IP address of this computer, or localhost"),
        (["--host", ""], "--host wants an IP address"),
        (["--base-path", "/../x"], "--base-path wants a path such as /driftline"),
        (["--base-path", "/a b"], "--base-path wants a path"),
    ],
)
def test_what_can_not_be_meant_is_told(arguments: list[str], told: str, logs: Path, access: Path) -> None:
    assert told in refused(logs, *(word.format(access=access) for word in arguments))


def test_a_dashboard_elsewhere_is_found_by_commands_and_asks_for_its_token(
    logs: Path, data: Path, tmp_path: Path
) -> None:
    address = other_address()
    if address is None:
        pytest.skip("this computer has no address but loopback")
    store = tmp_path / "s.duckdb"
    said: list[str] = []
    arguments = (logs, "--store", store, "--host", address, "--without-sign-in", "--base-path", "driftline")
    with viewing(*arguments, data=data, said=said, host=address) as (origin, _):
        assert f"{origin}/driftline" in "".join(said)
        owner = find_owner(store)
        assert owner is not None
        assert owner.host == address
        done = driftline("rates", "--store", store, "--format", "json", data=data)
        assert [row["run"] for row in json.loads(done.stdout)] == ["run-a"]
        connection = http.client.HTTPConnection(address, owner.port, timeout=10)
        connection.request("POST", "/api/driftline/rates", "{}", {"Authorization": "Bearer wrong"})
        assert connection.getresponse().status == 403
        connection.close()
        # Loopback itself is not listened at.
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", owner.port), 5)
    # Once it has ended, its note is gone, and commands open the store themselves.
    assert not note_path(store).exists()
    assert driftline("rates", "--store", store, data=data).returncode == 0


def test_on_loopback_pages_elsewhere_get_in_by_no_name_of_their_own(logs: Path, data: Path) -> None:
    """DNS rebinding: a name of an attacker's that leads to 127.0.0.1."""
    with viewing(logs, data=data) as (origin, _):
        port = int(origin.rpartition(":")[2])
        for host, status in ((f"127.0.0.1:{port}", 101), ("localhost", 101), (f"evil.example:{port}", 403)):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
            headers = {
                "Host": host, "Origin": f"http://{host}", "Connection": "Upgrade", "Upgrade": "websocket",
                "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
            }  # fmt: skip
            connection.request("GET", "/_stcore/stream", headers=headers)
            assert connection.getresponse().status == status
            connection.close()
