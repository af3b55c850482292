"""Why no model can be asked: it is not known yet, an endpoint says what is wrong, or there is truly none."""

from __future__ import annotations

from datetime import UTC, datetime

from dashboard.kit.pickers.models import why_none
from dashboard.probe.directory import Standing
from dashboard.probe.endpoints import Endpoint

NOW = datetime(2026, 1, 1, tzinfo=UTC)
UNASKED = Standing(Endpoint("new", "openai", "http://new/v1"))
EMPTY = Standing(Endpoint("empty", "openai", "http://empty/v1"), "ok", "0 models", checked_at=NOW)
SLOW = Standing(Endpoint("lab", "openai", "http://lab/v1"), "timeout", "lab: no answer within 5 s.", checked_at=NOW)


def test_that_no_endpoint_serves_a_model_is_said_only_once_all_have_answered() -> None:
    assert why_none([EMPTY]) == "No endpoint serves a model."
    assert why_none([EMPTY, SLOW]) == SLOW.message
    assert why_none([SLOW, UNASKED]) == "Connecting to endpoints …"
