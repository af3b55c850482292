"""What a reader must know about a point before comparing it: other settings, repeats, jumps, unfinished logs."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from operator import itemgetter
from typing import Any

from dashboard import numerals
from dashboard.queries.standing import parsed, shortened
from loaders.study.settings import NAMES, NOT_SAMPLING, TASK_ARGS, setting_of

Row = dict[str, Any]

SIZE = "number of samples"

OUTAGE = "an outage of a scorer?"
NOTHING = "is scored."
"""How the flags end that speak against a number itself."""

HUGE_JUMP = 0.5
"""A rate this far from both neighbours, with intervals apart, is worth a look even when it isn't 0 or 1."""


def line_of(row: Row) -> tuple[Any, ...]:
    """Rows with the same key are one line: a run and variant, split values, an eval, a metric."""
    return (row["run"], row["variant"], *combination_of(row), row["eval"], row["metric"])


def combination_of(row: Row) -> tuple[Any, ...]:
    """The values by which samples are split."""
    return (row["split"], row["split2"])


def flag_standing(rows: Iterable[Row]) -> None:
    """Say which logs a point is of, and which of its checkpoint were superseded or left out.

    Args:
        rows: Of points (`dashboard.queries.standing.points_of`).
    """
    for row in rows:
        if row["partial"] and row["complete"]:
            row["flags"].append(
                f"A part of the evaluation: {row['graded']} of {row['planned']} planned samples graded."
            )
        leads = {row["leads"][log] for log in row.get("logs") or () if log in row["leads"]} if "leads" in row else set()
        if leads:
            # Split values tell logs apart: only what a row's own samples are of is pooled in it.
            row["pooled"] = len(leads)
        row["flags"] += [*(row["pooling"] if len(leads) != 1 else ()), *row["beside"]]


def flag_states(rows: Iterable[Row]) -> None:
    """Say where a log isn't finished, or holds less than it should."""
    for row in rows:
        if not row["complete"]:
            row["flags"].append(f"The log is still being written: {row['n_samples']} samples so far.")
        elif row["status"] != "success":
            row["flags"].append(f"Log status: {row['status']}, {row['n_samples']} samples.")
        if not row.get("told") and row["kind"] != "reported" and row.get("rate") is None:
            nothing = f"None of the {row['n_all']} samples {NOTHING}"
            row["flags"].append(nothing if row["n_samples"] else "The log has no samples.")


def tells_outage(flag: str) -> bool:
    """Whether a flag says that a rate leaps as if a scorer had been out."""
    return flag.endswith(OUTAGE)


def tells_nothing(flag: str) -> bool:
    """Whether a flag says that no sample has an outcome."""
    return flag.startswith("None of the ") and flag.endswith(NOTHING)


def flag_differences(rows: list[Row], splits: Iterable[str] = ()) -> None:
    """Say where judge, task version, number of samples, epochs, dataset, prompt, task args or sampling differ.

    First within a line, from what most of its points have; then of whole lines, from what most lines of the same
    eval and metric have. Task args and the number of samples only within a line: there, another number means that a
    point isn't like its neighbours, by a limit or a crash. Between lines it differs by design, one run measured with
    more samples than another; it stands beside every point and in the width of its interval, and makes no rate
    incomparable. Whether two logs asked the same questions is told by their questions, where two checkpoints are
    compared.

    Args:
        rows: Of all lines.
        splits: Fields by which samples are split: lines differ in them by design.
    """
    by_design = {SIZE, *(setting_of(field) for field in splits)}
    for same_eval in _grouped(rows, lambda row: (row["eval"], row["metric"])):
        # Most rows say the same: what they say is made out once, and where all do there is nothing to compare.
        keys = {id(row): facets_key(row) for row in same_eval}
        unlike = {key: facets_of(row, task_args=True) for key, row in {keys[id(row)]: row for row in same_eval}.items()}
        every = sorted({name for facet in unlike.values() for name in facet})
        names = [name for name in every if len({facet.get(name) for facet in unlike.values()}) > 1]
        if not names:
            continue
        facets = {at: unlike[key] for at, key in keys.items()}
        lines = _grouped(same_eval, line_of)
        for name in names:
            usual = []
            for line in lines:
                values = [facets[id(row)].get(name) for row in line]
                usual.append(_most_common(values))
                for row, value in zip(line, values, strict=True):
                    if value != usual[-1]:
                        here, elsewhere = _both(value, usual[-1])
                        row["flags"].append(_differs(name, here, elsewhere, "at the other steps"))
            if name in by_design or name.startswith(TASK_ARGS):
                continue
            over_lines = _most_common(usual)
            for line, value in zip(lines, usual, strict=True):
                if value != over_lines:
                    here, elsewhere = _both(value, over_lines)
                    for row in line:
                        row["flags"].append(_differs(name, here, elsewhere, "in the other runs"))


def _differs(name: str, here: str, elsewhere: str, where: str) -> str:
    """A sentence of a setting that differs; settings that have the name of a key keep it as it is."""
    label = name if any(mark in name for mark in "._") else name[:1].upper() + name[1:]
    return f"{label} {'differ' if name == 'epochs' else 'differs'}: {here} here, {elsewhere} {where}"


def facets_of(row: Row, *, task_args: bool = False) -> dict[str, Any]:
    """What should be the same in two logs of an eval: judge, version, size, sampling settings, what forms the prompt.

    The size is the whole log's, also where its samples are split; of a log without samples the number that it reports.

    Args:
        row: Of rates, or of `live_evals`.
        task_args: Whether the arguments of the task are told too.
    """
    facets = {
        "judge": row["judge"],
        "task version": row["task_version"],
        SIZE: row["n_samples"] or row.get("n") or None,
        "epochs": row["epochs"],
    }
    return {
        **_stated(row["settings"], task_args),
        **facets,
        **_sampling(row["dataset_json"], row["generate_config_json"]),
    }


_facets = itemgetter("judge", "task_version", "n_samples", "epochs", "settings", "dataset_json", "generate_config_json")


def facets_key(row: Row) -> tuple[Any, ...]:
    """What `facets_of` a log is made of."""
    return (*_facets(row), row.get("n"))


@lru_cache(maxsize=10_000)
def _sampling(dataset_json: str | None, config_json: str | None) -> Mapping[str, Any]:
    """Dataset and sampling settings: few texts, shared by many logs."""
    dataset, config = json.loads(dataset_json or "{}"), json.loads(config_json or "{}")
    return {"dataset": _comparable(dataset.get("name") if isinstance(dataset, dict) else None)} | {
        name: _comparable(value)
        for name, value in config.items()
        if name not in NOT_SAMPLING | NAMES.keys() and value is not None
    }


@lru_cache(maxsize=10_000)
def _stated(settings: str, task_args: bool) -> Mapping[str, Any]:
    stated = parsed(settings)
    return {name: stated[name] for name in stated if task_args or not name.startswith(TASK_ARGS)}


def _comparable(value: Any) -> Any:
    """A setting, whatever the log holds there: lists and objects as their JSON."""
    return json.dumps(value, sort_keys=True) if isinstance(value, (dict, list)) else value


def _most_common(values: list[Any]) -> Any:
    """The commonest value; of equally common ones the first."""
    return Counter(values).most_common(1)[0][0]


def shown(value: Any) -> str:
    """A setting for people; one that a log does not give is no value."""
    return "not given" if value is None else str(value)


def _both(value: Any, other: Any) -> tuple[str, str]:
    """Two unequal settings in a sentence: long ones where they part."""
    texts = shown(value), shown(other)
    short = shortened(texts)
    return short[texts[0]], short[texts[1]]


def flag_jumps(rows: list[Row]) -> None:
    """Flag rates that leap away from both neighbours and back: an outage of a scorer looks like alignment.

    Flagged is a rate whose interval lies apart from the intervals of both neighbours, while those overlap each
    other, and which is 0 or 1 exactly, or more than half of the scale away from both.
    """
    usable = [
        row
        for row in rows
        if row["kind"] == "rate"
        and row["repeat"] == 0
        and row.get("n")
        and row["step"] is not None
        and row.get("low") is not None
    ]
    for line in _grouped(usable, line_of):
        line.sort(key=lambda row: row["step"])
        for before, row, after in zip(line, line[1:], line[2:], strict=False):
            apart = not _overlap(row, before) and not _overlap(row, after) and _overlap(before, after)
            distance = min(abs(row["rate"] - before["rate"]), abs(row["rate"] - after["rate"]))
            if apart and (row["rate"] in (0.0, 1.0) or distance > HUGE_JUMP):
                around = (before["rate"] + after["rate"]) / 2
                counted = numerals.whole_percent(row["rate"]) if row.get("k") is None else f"{row['k']} of {row['n']}"
                row["flags"].append(f"{counted} between neighbours at {numerals.whole_percent(around)}: {OUTAGE}")


def _overlap(a: Row, b: Row) -> bool:
    return bool(a["low"] <= b["high"] and b["low"] <= a["high"])


def _grouped(rows: Iterable[Row], key: Callable[[Row], Any]) -> list[list[Row]]:
    groups: dict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return list(groups.values())
