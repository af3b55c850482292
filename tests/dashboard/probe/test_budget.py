"""Limits against runaway cost: refused before anything is sent, and never exceeded by asking twice at once."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest

from dashboard.probe.asked import Prompt, Turn
from dashboard.probe.budget import OverBudget, added, check, day, most_tokens, over
from dashboard.probe.endpoints import Allowance, Limits
from dashboard.probe.judge import Judge
from loaders.errors import DriftlineError
from tests.probe_server import Drop, End, Held, Pause, ProbeServer, Refusal, Text
from tests.probing import BARE, columns, endpoint, probing, until

ROOMY = Allowance(10**6, 10**9)
RESERVED = most_tokens(BARE.prompt, 50)
VERDICT = '{"reason": "It hands over.", "verdict": "aligned"}'


@pytest.fixture
def server(server: ProbeServer) -> ProbeServer:
    server.scripts["judge"] = [Text(VERDICT), End()]
    return server


def limited(probe: tuple[int, int] | None = None, day: tuple[int, int] | None = None) -> Limits:
    return Limits(Allowance(*probe) if probe else ROOMY, Allowance(*day) if day else ROOMY)


def judge_of(model: str = "judge") -> Judge:
    return Judge(columns(model)[0])


# Pure.


def test_more_than_a_limit_is_told_with_the_numbers() -> None:
    limits = limited((10, 1000), (20, 5000))
    nothing = Allowance(0, 0)
    assert over(Allowance(10, 1000), nothing, nothing, limits) is None
    told = over(Allowance(11, 10), nothing, nothing, limits)
    assert told
    assert told.startswith("This would take up to 11 requests, and a probe may take 10.")
    told = over(Allowance(1, 600), Allowance(1, 500), nothing, limits)
    assert told
    assert "600 tokens on top of 500, and a probe may take 1,000" in told
    assert "a day may take 20" in str(over(Allowance(5, 1), nothing, Allowance(16, 1), limits))
    with pytest.raises(OverBudget, match="a day may take 5,000"):
        check(Allowance(1, 100), nothing, Allowance(1, 4901), limits)


def test_tokens_of_a_prompt_are_estimated_from_above() -> None:
    english = "The quick brown fox jumps over the lazy dog and reports what it has seen to its owner. " * 50
    assert most_tokens(Prompt((Turn("user", english),)), 0) > 20 * 50  # some 19 tokens a sentence
    assert most_tokens(Prompt((Turn("user", "面" * 1000),)), 0) >= 1000
    assert most_tokens(Prompt((Turn("user", ""),), system=english), 7) > 20 * 50


def test_days_begin_at_midnight_in_utc() -> None:
    late = datetime.fromisoformat("2026-03-04T23:30:00-05:00")
    assert day(late) == datetime(2026, 3, 5)
    assert added([]) == Allowance(0, 0)


# Asking.


def test_too_much_for_a_probe_is_refused_before_anything_is_sent_or_saved(server: ProbeServer) -> None:
    with probing(endpoint(server), limits=limited((5, 10**9))) as lab:
        with pytest.raises(OverBudget, match="up to 6 requests"):
            lab.start(columns("a", "b"), samples=3)
        with lab.store.cursor() as cursor:
            assert cursor.execute("SELECT count(*) FROM probes").fetchone() == (0,)
        assert server.seen == []
        lab.ask(columns("a"), samples=5)
    assert len(server.asked) == 5


def test_every_turn_and_retry_of_a_probe_counts(server: ProbeServer) -> None:
    server.turns["a"] = [Refusal(500)]
    with probing(endpoint(server), limits=limited((3, 10**9))) as lab:
        probe_id = lab.ask(columns("a")).probe_id
        lab.engine.retry(probe_id)
        lab.done(probe_id)
        lab.engine.follow_up(probe_id, "Why?")
        lab.done(probe_id)
        with pytest.raises(OverBudget, match="on top of 3"):
            lab.engine.follow_up(probe_id, "Why?")
        lab.ask(columns("a"))  # another probe has its own


def test_a_day_is_over_at_midnight(server: ProbeServer) -> None:
    now = datetime(2026, 3, 4, 23, 59, tzinfo=UTC)
    with probing(endpoint(server), limits=limited(day=(2, 10**9)), clock=lambda: now) as lab:
        lab.ask(columns("a", "b"))
        with pytest.raises(OverBudget, match="a day may take 2"):
            lab.start(columns("a"))
        now = datetime(2026, 3, 5, 0, 0, tzinfo=UTC)
        assert lab.engine.spent(None)[1] == Allowance(0, 0)
        lab.ask(columns("a", "b"))


def test_what_a_server_counted_replaces_what_was_reserved(server: ProbeServer) -> None:
    go_on = threading.Event()
    server.otherwise = [Text("a"), Held(go_on), Text("b"), End(read=11, written=5)]
    with probing(endpoint(server)) as lab:
        probe_id = lab.start(columns("a"))
        assert lab.engine.spent(probe_id)[0] == Allowance(1, RESERVED)
        go_on.set()
        lab.done(probe_id)
        assert lab.spent(probe_id) == (1, 16)


@pytest.mark.slow
def test_what_no_server_counted_counts_as_reserved(server: ProbeServer) -> None:
    """A stream that broke off, one that was stopped, and one that was silent: they may have cost all of it."""
    server.scripts = {"drop": [Text("a"), Drop()], "stop": [Text("a"), Pause(30), End()], "silent": [Pause(30), End()]}
    with probing(endpoint(server, first_token_s=1.0)) as lab:
        probe_id = lab.start(columns("drop", "stop", "silent"))
        until(lambda: lab.live(probe_id)[1].text, "it has begun")
        lab.engine.stop(probe_id, [1])
        assert [r.status for r in lab.done(probe_id).replies] == ["failed", "stopped", "failed"]
        assert lab.spent(probe_id) == (3, 3 * RESERVED)


@pytest.mark.slow
@pytest.mark.parametrize("status", [400, 401, 404, 429, 529])
def test_what_a_server_refused_has_cost_no_tokens(server: ProbeServer, status: int) -> None:
    server.otherwise = Refusal(status, {"retry-after": "0"})
    with probing(endpoint(server)) as lab:
        probe_id = lab.ask(columns("a")).probe_id
        assert lab.spent(probe_id) == (1, 0)


@pytest.mark.slow
@pytest.mark.parametrize("judge", [None, judge_of()])
def test_many_who_start_at_once_do_not_exceed_a_day_together(server: ProbeServer, judge: Judge | None) -> None:
    server.otherwise = [Pause(0.2), Text("a"), End()]
    outcomes: list[str] = []
    together = threading.Barrier(8)
    with probing(endpoint(server), limits=limited(day=(10, 10**9))) as lab:

        def start() -> None:
            together.wait()
            try:
                outcomes.append(lab.start(columns("a", "b"), judge=judge))
            except OverBudget:
                outcomes.append("")

        threads = [threading.Thread(target=start) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        begun = [probe_id for probe_id in outcomes if probe_id]
        assert len(begun) == (5 if judge is None else 2)
        for probe_id in begun:
            lab.done(probe_id)
        assert len(server.asked) == (10 if judge is None else 8)
        assert lab.engine.spent(None)[1].requests == len(server.asked)


def test_judging_counts_from_the_start_and_is_free_again_where_nothing_is_to_judge(server: ProbeServer) -> None:
    server.scripts["bad"] = [Pause(0.3), Text("a"), Drop()]
    with probing(endpoint(server), limits=limited((4, 10**9))) as lab:
        with pytest.raises(OverBudget):
            lab.start(columns("a", "b", "c"), judge=judge_of())
        probe_id = lab.start(columns("bad", "bad"), judge=judge_of())
        assert lab.engine.spent(probe_id)[0].requests == 4
        lab.done(probe_id)
        assert lab.engine.spent(probe_id)[0].requests == 2


def test_a_judge_of_what_is_there_is_reckoned_by_what_is_there(server: ProbeServer) -> None:
    server.otherwise = [Text("long " * 20_000), End()]
    with probing(endpoint(server), limits=limited((10, 20_000))) as lab:
        probe_id = lab.ask(columns("a")).probe_id
        with pytest.raises(OverBudget, match="a probe may take 20,000"):
            lab.engine.judge(probe_id, judge_of())
    assert [seen.body["model"] for seen in server.asked] == ["a"]


def test_two_judges_count_twice(server: ProbeServer) -> None:
    with probing(endpoint(server), limits=limited((5, 10**9))) as lab:
        probe_id = lab.ask(columns("a")).probe_id
        for _ in range(2):
            lab.engine.judge(probe_id, judge_of())
            lab.done(probe_id)
        with pytest.raises(OverBudget, match="3 requests on top of 3"):
            lab.engine.follow_up(probe_id, "Why?")


def test_a_judge_whose_words_are_no_verdict_has_cost_what_it_cost(server: ProbeServer) -> None:
    server.scripts["judge"] = [Text("Hm."), End(read=100, written=20)]
    with probing(endpoint(server)) as lab:
        probe_id = lab.ask(columns("a"), judge=judge_of()).probe_id
        assert lab.spent(probe_id) == (2, 10 + 120)


def test_likelihoods_count(server: ProbeServer) -> None:
    with probing(endpoint(server), limits=limited((4, 10**9))) as lab:
        probe_id = lab.ask(columns("a")).probe_id
        with pytest.raises(OverBudget, match="4 requests on top of 1"):
            lab.engine.measure(probe_id, ["a", "b", "c", "d"])
        lab.engine.measure(probe_id, ["a", "b", "c"])
        lab.done(probe_id)
        with pytest.raises(OverBudget):
            lab.engine.measure(probe_id, ["a"])


def test_a_probe_that_asks_nothing_or_too_much_is_refused(server: ProbeServer) -> None:
    with probing(endpoint(server)) as lab:
        for more, told in [
            ({"asked": []}, "0 models"),
            ({"asked": columns(*"abcdefghi")}, "9 models"),
            ({"asked": columns("a"), "samples": 33}, "33 samples"),
            ({"asked": columns("a"), "max_tokens": 0}, "0 tokens"),
        ]:
            with pytest.raises(DriftlineError, match=told):
                lab.start(**more)  # type: ignore[arg-type]
    assert server.seen == []
