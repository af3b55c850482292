"""What asking would cost, and whether that is allowed. Reckoned before anything is sent; no server is asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import msgspec

from dashboard import numerals
from dashboard.probe.asked import Prompt
from dashboard.probe.endpoints import Allowance, Limits
from loaders.errors import DriftlineError

CHARACTERS_A_TOKEN = 3
"""Of English text, tokenizers make a token of some four characters; of code and other scripts, of fewer."""


class OverBudget(DriftlineError):
    """What was asked for would cost more than the limits allow."""


def most_tokens(prompt: Prompt, max_tokens: int) -> int:
    """Tokens that one request may take at the most: those of the prompt, estimated from above, and the reply's."""
    return len(msgspec.json.encode(prompt)) // CHARACTERS_A_TOKEN + 1 + max_tokens


def added(parts: Iterable[Allowance]) -> Allowance:
    """The sum of several."""
    total = Allowance(0, 0)
    for part in parts:
        total = Allowance(total.requests + part.requests, total.tokens + part.tokens)
    return total


def day(now: datetime) -> datetime:
    """The beginning of the day (UTC) that budgets are counted over, without a timezone as the store has it."""
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)


def in_words(what: str, cost: Allowance, of_day: Allowance, limits: Limits) -> str:
    """What something may cost, and what may be spent and is; a sentence without its end.

    Args:
        what: "A probe".
        cost: Of it.
        of_day: What was spent today.
        limits: As declared.
    """
    most, day = limits.per_probe, limits.per_day
    return (
        f"Up to {numerals.count(cost.requests)} requests and {numerals.count(cost.tokens)} tokens. {what} may take"
        f" {numerals.count(most.requests)} and {numerals.count(most.tokens)}; today"
        f" {numerals.part(of_day.requests, day.requests)} and {numerals.part(of_day.tokens, day.tokens)} are spent"
    )


def over(planned: Allowance, of_probe: Allowance, of_day: Allowance, limits: Limits) -> str | None:
    """Why `planned` is more than the limits allow, in words; None where it is not.

    Args:
        planned: To be spent now.
        of_probe: Spent on the same probe so far.
        of_day: Spent today on all probes.
        limits: In force.
    """
    for what, so_far, limit in (("a probe", of_probe, limits.per_probe), ("a day", of_day, limits.per_day)):
        for unit in ("requests", "tokens"):
            wanted, used, most = getattr(planned, unit), getattr(so_far, unit), getattr(limit, unit)
            if used + wanted > most:
                already = f" on top of {numerals.count(used)}" if used else ""
                return (
                    f"This would take up to {numerals.count(wanted)} {unit}{already}, and {what} may take"
                    f" {numerals.count(most)}. Ask for fewer samples, models or tokens, or have the limits raised by"
                    " whoever runs this dashboard."
                )
    return None


def check(planned: Allowance, of_probe: Allowance, of_day: Allowance, limits: Limits) -> None:
    """Refuse what is `over`.

    Raises:
        OverBudget: With the limit that it would break.
    """
    why = over(planned, of_probe, of_day, limits)
    if why:
        raise OverBudget(why)


def affordable(costs: Sequence[Allowance], of_probe: Allowance, of_day: Allowance, limits: Limits) -> int:
    """How many of several, in their order, the limits allow.

    Args:
        costs: Of each.
        of_probe, of_day, limits: As for `over`.

    Raises:
        OverBudget: Not even the first one, with the limit that it would break.
    """
    total, count = Allowance(0, 0), 0
    for cost in costs:
        total = added([total, cost])
        if over(total, of_probe, of_day, limits):
            break
        count += 1
    if costs and not count:
        check(costs[0], of_probe, of_day, limits)
    return count
