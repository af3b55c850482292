"""Nothing that has come is lost: not by a process that is killed, a full disk, or an end in the middle of it all."""

from __future__ import annotations

import logging
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dashboard.probe.asked import Sampling
from dashboard.probe.endpoints import Declared
from dashboard.probe.service import ProbeService
from loaders.errors import DriftlineError
from loaders.store import Store
from tests.driftline import ROOT
from tests.probe_server import Beat, End, Pause, ProbeServer, Refusal, Text
from tests.probing import BARE, columns, endpoint, probing, texts, until

ASKING = """
import sys, time
from pathlib import Path
from dashboard.probe.endpoints import Endpoint
from loaders.store import Store
from tests.probing import columns, probing

with probing(Endpoint("lab", "openai", sys.argv[2]), store=Store.open(Path(sys.argv[1]))) as lab:
    print(lab.start(columns("long", "short", "waiting")), flush=True)
    time.sleep(60)
"""


@contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    """What a full disk is to a file that grows: writing beyond some bytes fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.slow
def test_a_process_that_is_killed_leaves_what_had_come(server: ProbeServer, tmp_path: Path) -> None:
    server.scripts = {
        "long": [beat for at in range(400) for beat in (Text(f"{at} "), Pause(0.05))],
        "waiting": [Pause(60), End()],
    }
    file = tmp_path / "store.duckdb"
    command = [sys.executable, "-c", ASKING, str(file), server.url("openai")]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        probe_id = process.stdout.readline().strip()
        until(lambda: "long" in server.first_sent, "it streams")
        time.sleep(max(0.0, server.first_sent["long"] + 2 - time.time()))
    finally:
        process.kill()
        process.wait()
    assert process.returncode == -signal.SIGKILL
    came = int((time.time() - server.first_sent["long"]) / 0.05)
    store = Store.open(file)
    with probing(endpoint(server), store=store) as lab:
        long, short, waiting = lab.done(probe_id).replies
        assert (short.status, short.text) == ("complete", "Hello there.")
        assert (waiting.status, waiting.text) == ("interrupted", "")
        assert long.status == "interrupted"
        words = long.text.split()
        assert words == [str(at) for at in range(len(words))]
        assert len(words) >= min(came, 40) - 25  # what came within the last saving, or was slow to come
        assert lab.spent(probe_id)[1] > 10  # what nobody counted is not free
        server.scripts = {}
        assert lab.engine.retry(probe_id) == 2
        again = lab.done(probe_id)
        assert texts(again) == ["Hello there."] * 3
        assert [r.attempt for r in again.replies] == [1, 0, 1]
        with store.cursor() as cursor:
            kept = cursor.execute("SELECT count(*) FROM probe_pieces WHERE reply_id = ?", [long.reply_id]).fetchone()
        assert kept
        assert kept[0] >= 1
    store.close()


@pytest.mark.slow
def test_replies_that_a_full_disk_takes_none_of_are_shown_and_saved_later(
    server: ProbeServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    part = "".join(f"{at:07} " for at in range(5000))
    server.otherwise = [beat for _ in range(20) for beat in (Text(part), Pause(0.05))] + [Pause(1.5), End()]
    file = tmp_path / "store.duckdb"
    store = Store.open(file)
    caplog.set_level(logging.CRITICAL)
    with probing(endpoint(server), store=store) as lab:
        probe_id = lab.start(columns("a", "b"))
        largest = (tmp_path / "store.duckdb.wal").stat().st_size
        with no_file_larger_than(largest + 100_000):
            trouble = until(lambda: lab.engine.trouble, "saving fails")
            assert trouble.startswith("Replies can't be saved: ")
            assert "kept in memory" in trouble
            until(lambda: [r.text for r in lab.live(probe_id)] == [part * 20] * 2, "all of it is there to read")
            with pytest.raises(DriftlineError, match="can't be saved"):
                lab.start(columns("a"), author="x" * 1_000_000)
        until(lambda: not lab.engine.trouble, "it is saved")
        assert texts(lab.done(probe_id)) == [part * 20] * 2
    store.close()
    store = Store.open(file)
    with probing(endpoint(server), store=store) as lab:
        assert texts(lab.done(probe_id)) == [part * 20] * 2
        assert {r.status for r in lab.done(probe_id).replies} == {"complete"}
    store.close()


def test_what_cannot_be_saved_is_not_asked(server: ProbeServer, tmp_path: Path) -> None:
    """Without a row, nothing that comes of it could be found again."""
    store = Store.open(tmp_path / "store.duckdb")
    with probing(endpoint(server), store=store) as lab:
        (reply,) = lab.ask(columns("a")).replies
        largest = (tmp_path / "store.duckdb.wal").stat().st_size
        with no_file_larger_than(largest):
            with pytest.raises(DriftlineError, match="can't be saved, and so it was not done"):
                lab.start(columns("a"))
            with pytest.raises(DriftlineError, match="can't be saved"):
                lab.engine.mark(reply.reply_id, "Ada", "aligned")
        assert len(server.asked) == 1
        assert lab.engine.spent(None)[1].requests == 1
        lab.ask(columns("a"))
    store.close()


@pytest.mark.slow
def test_an_end_in_the_middle_saves_what_came_as_interrupted(server: ProbeServer, tmp_path: Path) -> None:
    server.scripts = {"long": [Text("so far"), Pause(30), End()], "busy": Refusal(429, {"retry-after": "30"})}
    store = Store.open(tmp_path / "store.duckdb")
    declared = Declared((endpoint(server, in_flight=3),))
    service = ProbeService(store, lambda: declared, lambda name: None)
    asked = [*columns("long", "busy", "quick"), *columns("long", "long")]
    probe_id = service.engine.start(asked, [BARE], Sampling(), title="x")
    # The second long one is asked when the quick one has ended: three are asked at once, and one of them waits.
    until(lambda: sum(seen.body["model"] == "long" for seen in server.asked) == 2, "the quick one has ended")
    until(lambda: server.open_streams == 2, "two stream, one waits")
    begun = time.monotonic()
    service.close()
    assert time.monotonic() - begun < 8
    with pytest.raises(DriftlineError, match="shutting down"):
        service.engine.start(asked, [BARE], Sampling(), title="x")
    service.engine.stop(probe_id)
    service.close()
    until(lambda: server.open_streams == 0, "the server heard of it")
    with probing(endpoint(server), store=store) as lab:
        replies = lab.done(probe_id).replies
        assert [r.status for r in replies] == ["interrupted", "interrupted", "complete", "interrupted", "interrupted"]
        assert replies[0].text == "so far"
        server.scripts = {}
        assert lab.engine.retry(probe_id) == 4
        assert texts(lab.done(probe_id)) == ["Hello there."] * 5
    store.close()


def test_no_thread_is_left(server: ProbeServer) -> None:
    before = {thread.name for thread in threading.enumerate()}
    with probing(endpoint(server)) as lab:
        lab.ask(columns("a"))
        assert "driftline-probe" in {thread.name for thread in threading.enumerate()}
    until(lambda: {t.name for t in threading.enumerate() if t.name == "driftline-probe"} <= before, "it has ended")


def test_two_engines_one_after_the_other_number_replies_on(server: ProbeServer) -> None:
    store = Store.open(":memory:")
    found: list[int] = []
    for _ in range(2):
        with probing(endpoint(server), store=store) as lab:
            found += [r.reply_id for r in lab.ask(columns("a", "b")).replies]
    assert found == [1, 2, 3, 4]
    store.close()


@pytest.mark.slow
def test_many_replies_at_once_are_all_saved(server: ProbeServer, tmp_path: Path) -> None:
    script: list[Beat] = [Text(f"{at} ") for at in range(50)]
    server.otherwise = [*script, End()]
    whole = "".join(f"{at} " for at in range(50))
    store = Store.open(tmp_path / "store.duckdb")
    with probing(endpoint(server, in_flight=64), store=store) as lab:
        probe = lab.ask(columns(*"abcdefgh"), samples=8)
    assert texts(probe) == [whole] * 64
    store.close()
