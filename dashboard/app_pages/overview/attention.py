"""What needs attention: rejected files, gaps, unfinished logs, what can't be compared, rules and headers that disagree.

Pure: frames of the queries in, notices out. Titles are ours; items hold texts from logs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import pandas as pd

from dashboard import links, numerals
from dashboard.queries.flags import tells_nothing, tells_outage
from dashboard.queries.rows import checkpoint_name, is_missing

NAMED = 3
"""Items that a notice names; the others are counted."""


@dataclass(frozen=True)
class Notice:
    """One kind of thing to look at.

    Attributes:
        title: What and how many, in our own words.
        items: The first of them, for people; texts from logs, never Markdown or HTML.
        page: Name of the page that shows them.
        state: Its parameters.
    """

    title: str
    items: list[str]
    page: str = links.DATA
    state: links.Parameters = field(default_factory=dict)


def notices(
    files: pd.DataFrame,
    conflicts: pd.DataFrame,
    coverage: pd.DataFrame,
    logs: pd.DataFrame,
    unlike: pd.DataFrame,
    rates: pd.DataFrame,
) -> list[Notice]:
    """Everything that needs attention, the gravest first.

    Args:
        files: `FILE_COLUMNS`.
        conflicts: `CONFLICT_COLUMNS`.
        coverage: `COVERAGE_COLUMNS`.
        logs: `LOG_COLUMNS`.
        unlike: `UNLIKE_COLUMNS`.
        rates: `RATE_COLUMNS` of all evals by their defaults.
    """
    found = [
        _rejected(files),
        _unread(files),
        _conflicting(conflicts),
        _headers(rates),
        _unfinished(logs),
        _waiting(coverage, int((files["status"] == "left").sum())),
        _behind(coverage),
        *_unlike(unlike),
        _odd(rates),
        _alone(logs),
    ]
    return [notice for notice in found if notice is not None]


def _rejected(files: pd.DataFrame) -> Notice | None:
    some = files[files["status"] == "rejected"]
    items = [f"{path}: {reason}" for path, reason in zip(some["path"], some["reason"], strict=True)]
    return _notice("file could not be read|files could not be read", items, {"show": ["unread"]})


def _unread(files: pd.DataFrame) -> Notice | None:
    """Tables that nobody has said how to read."""
    items = files[files["status"] == "left"]["path"].tolist()
    why = "no `tables:` entry in study.yaml matches"
    return _notice(f"table not read: {why} it|tables not read: {why} them", items, {"show": ["tables"]})


def _conflicting(conflicts: pd.DataFrame) -> Notice | None:
    items = [
        message if is_missing(path) else f"{message} · {path}"
        for message, path in zip(conflicts["message"], conflicts["path"], strict=True)
    ]
    return _notice("conflicting run or step|conflicting runs or steps", items, {"show": ["conflicts"]})


def _headers(rates: pd.DataFrame) -> Notice | None:
    some = rates[rates["disagrees"] & ~rates["group"]]
    items = [
        f"{checkpoint_name(row)} · {row['eval']}: log reports {numerals.figures(row['reported'])},"
        f" samples give {numerals.figures(row['rate'])}"
        for row in some.to_dict("records")
    ]
    return _notice(
        "log total differs from its samples|log totals differ from their samples", items, {"show": ["totals"]}
    )


def _unfinished(logs: pd.DataFrame) -> Notice | None:
    open_, ended = ~logs["complete"], logs["complete"] & ~logs["status"].fillna("success").eq("success")
    items = [
        f"{checkpoint_name(row)} · {row['eval']}: "
        + (f"{row['status']}" if row["complete"] else "not finished (still running, or its process died)")
        + f", {row['samples']} samples"
        for row in logs[open_ | ended].to_dict("records")
    ]
    return _notice("unfinished log|unfinished logs", items, {"show": ["files"]})


def _waiting(coverage: pd.DataFrame, unread: int) -> Notice | None:
    """Checkpoints that a trainer or a card knows, and no log; those that are the newest of their run first."""
    newest = coverage.groupby("run")["step"].max()
    some = coverage[coverage["eval"].isna()]
    items, last = [], []
    for row in some.to_dict("records"):
        if not is_missing(row["step"]) and row["step"] == newest[row["run"]]:
            last.append(f"{checkpoint_name(row)}, the latest of its run")
        else:
            items.append(checkpoint_name(row))
    state = {"show": ["coverage"]} | ({"run": [str(some["run"].iloc[0])]} if len(some) else {})
    # Where tables lie unread, their results may be in there.
    more = f"; {unread} {'table is' if unread == 1 else 'tables are'} unread" if unread else ""
    title = f"checkpoint has no eval results{more}|checkpoints have no eval results{more}"
    return _notice(title, [*last, *items], state)


def _behind(coverage: pd.DataFrame) -> Notice | None:
    """Runs of which an eval was taken at several checkpoints, but not at the newest that was evaluated at all."""
    there = coverage["eval"].notna() & coverage["step"].notna() & coverage["placed"]
    taken = coverage.loc[there, ["run", "eval", "step"]].to_dict("records")
    newest: dict[str, int] = {}
    steps: dict[tuple[str, str], set[int]] = {}
    for row in taken:
        newest[row["run"]] = max(newest.get(row["run"], 0), int(row["step"]))
        steps.setdefault((row["run"], row["eval"]), set()).add(int(row["step"]))
    behind = {key: max(of) for key, of in steps.items() if len(of) > 1 and max(of) < newest[key[0]]}
    items = [f"{run} · {name}: last at {last}, the run is at {newest[run]}" for (run, name), last in behind.items()]
    state = {"show": ["coverage"]} | ({"run": [next(iter(behind))[0]]} if behind else {})
    return _notice(
        "eval stops before its run's newest checkpoint|evals stop before their run's newest checkpoint", items, state
    )


def _unlike(unlike: pd.DataFrame) -> Iterable[Notice | None]:
    """Settings that differ within an eval; how many samples there are is told by itself, being no fault."""
    size = unlike["setting"] == "number of samples"
    settings = [
        f"{row['eval']}: {row['setting']} {_some(row['others'])} in {row['unlike']} of {row['logs']} logs, else"
        f" {row['usual']} ({_some(row['runs'])})"
        for row in unlike[~size].to_dict("records")
    ]
    sizes = [
        f"{row['eval']}: {row['usual']} samples, but {_some(row['others'])} in {row['unlike']} of {row['logs']} logs"
        for row in unlike[size].to_dict("records")
    ]
    for items, some, title in (
        (settings, unlike[~size], "setting differs within an eval|settings differ within an eval"),
        (sizes, unlike[size], "Sample counts differ in {} eval|Sample counts differ in {} evals"),
    ):
        first = some.iloc[0] if len(some) else None
        state = {} if first is None else links.parameters(eval=[first["eval"]], run=first["runs"][:8])
        yield _notice(title, items, state, links.CURVES)


def _odd(rates: pd.DataFrame) -> Notice | None:
    """Rates without any outcome, and leaps that look like an outage of a scorer."""
    # Most rates have no flag: rows of all of them would take longer than all else here.
    flagged = rates[~rates["group"] & rates["flags"].map(bool).astype(bool)].to_dict("records")
    items = [
        f"{checkpoint_name(row)} · {row['eval']}: {flag}"
        for row in flagged
        for flag in row["flags"]
        if tells_outage(flag) or tells_nothing(flag)
    ]
    odd = [row for row in flagged if any(map(tells_outage, row["flags"]))]
    state = links.parameters(eval=[odd[0]["eval"]], run=[odd[0]["run"]]) if odd else {"show": ["coverage"]}
    return _notice("implausible rate|implausible rates", items, state, links.CURVES if odd else links.DATA)


def _alone(logs: pd.DataFrame) -> Notice | None:
    """Logs of which no run is known."""
    items = [f"{row['run']} · {row['eval']}" for row in logs[~logs["placed"]].to_dict("records")]
    return _notice("log has no run or step|logs have no run or step", items, {"show": ["unplaced"]})


def _notice(title: str, items: Sequence[str], state: links.Parameters, page: str = links.DATA) -> Notice | None:
    """A notice; none where there is nothing. The title holds its singular and its plural, the count first or at {}."""
    if not items:
        return None
    one, many = title.split("|")
    named = [*items[:NAMED], *([f"and {len(items) - NAMED} more"] if len(items) > NAMED else [])]
    told = one if len(items) == 1 else many
    count = numerals.count(len(items))
    return Notice(told.format(count) if "{}" in told else f"{count} {told}", named, page, state)


def _some(texts: Sequence[str]) -> str:
    return ", ".join(texts[:3]) + (f" and {len(texts) - 3} more" if len(texts) > 3 else "")
