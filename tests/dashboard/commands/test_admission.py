"""`driftline view`: whom it lets in is settled before anything is served, and said in words that help."""

from __future__ import annotations

import http.client
import json
import socket
from pathlib import Path

import pytest

from dashboard.handover import find_owner
from tests.driftline import driftline, viewing
from tests.log_files import write_log
from tests.oidc import secrets_toml
from tests.signed_in import ACCESS


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


def refused(*arguments: str | Path, data: Path) -> str:
    done = driftline("view", *arguments, "--no-browser", "--port", "0", data=data, timeout=60)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "Driftline is at" not in done.stdout
    return done.stderr


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7"])
def test_others_are_not_let_in_without_an_access_file(host: str, logs: Path, tmp_path: Path) -> None:
    told = refused(logs, "--host", host, data=tmp_path / "data")
    assert f"At {host} others can reach the dashboard, and there is no access file" in told
    assert "--without-sign-in" in told


def test_an_access_file_by_which_nobody_could_sign_in_is_refused(
    logs: Path, access: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("HOME", str(home))
    told = refused(logs, "--access", access, data=tmp_path / "data")
    assert "nobody can sign in: [auth] lacks redirect_uri, cookie_secret, client_id" in told
    (home / ".streamlit").mkdir(parents=True)
    text = secrets_toml("http://localhost:1")
    (home / ".streamlit" / "secrets.toml").write_text(text, encoding="utf-8")
    told = refused(logs, "--access", access, "--base-path", "/driftline", data=tmp_path / "data")
    assert "redirect_uri wants the dashboard's address with the path /driftline/oauth2callback" in told
    assert "only-for-tests" not in told


def test_the_access_file_of_the_configuration_folder_counts_by_itself(logs: Path, access: Path, tmp_path: Path) -> None:
    place = tmp_path / "data" / "config" / "driftline"
    place.mkdir(parents=True)
    (place / "access.yaml").write_text("roles: []", encoding="utf-8")
    told = refused(logs, data=tmp_path / "data")
    assert "access.yaml: line 1: roles: wants a list" in told


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--access", "/nowhere/a.yaml"], "/nowhere/a.yaml: can't be read"),
        (["--access", "{access}", "--without-sign-in"], "give one"),
        (["--host", "evals.example.org"], "--host wants an IP address of this computer, or localhost"),
        (["--host", ""], "--host wants an IP address"),
        (["--base-path", "/../x"], "--base-path wants a path such as /driftline"),
        (["--base-path", "/a b"], "--base-path wants a path"),
    ],
)
def test_what_can_not_be_meant_is_told(
    arguments: list[str], told: str, logs: Path, access: Path, tmp_path: Path
) -> None:
    words = [word.format(access=access) for word in arguments]
    assert told in refused(logs, *words, data=tmp_path / "data")


def test_a_dashboard_elsewhere_is_found_by_commands_and_asks_for_its_token(logs: Path, tmp_path: Path) -> None:
    address = other_address()
    if address is None:
        pytest.skip("this computer has no address but loopback")
    data, store = tmp_path / "data", tmp_path / "s.duckdb"
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


def test_on_loopback_pages_elsewhere_get_in_by_no_name_of_their_own(logs: Path, tmp_path: Path) -> None:
    """DNS rebinding: a name of an attacker's that leads to 127.0.0.1."""
    with viewing(logs, data=tmp_path / "data") as (origin, _):
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
