"""From logs to points: which logs a point is of, by what `loaders.study.standing` decided of each.

A point is one evaluation, or several independent ones with the same settings pooled. Evaluations of one checkpoint with
other settings are variants, each a line of its own, named by what differs.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Literal

from loaders.study.settings import FORMING, SCORER, SOLVER, SYSTEM_PROMPT, TASK_ARGS, setting_of

Row = dict[str, Any]
Repeats = Literal["pooled", "newest", "each"]
REPEATS: tuple[Repeats, ...] = ("pooled", "newest", "each")
"""What becomes of independent evaluations of one checkpoint with the same settings: pooled, their questions as
clusters; the newest alone; each drawn, the newest on the line."""

LONGEST = 40
"""Characters of a setting's value in the name of a variant."""


def precedence(row: Row) -> tuple[Any, ...]:
    """Orders logs of one checkpoint, the one that counts last: complete successes, then what was created last.

    Args:
        row: With status, complete, created and eval_id.
    """
    whole = row["status"] == "success" and bool(row["complete"])
    return (whole, row["created"] is not None, row["created"] or 0, row["eval_id"])


def checkpoint_of(row: Row) -> tuple[Any, ...]:
    """Rows with the same key are of one checkpoint; a log without any step is one of its own."""
    if row["step"] is None and row["step_label"] is None:
        return (row["run"], row["variant"], row["lead_id"])
    return (row["run"], row["variant"], row["step"], row["step_label"])


def with_variants(logs: Sequence[Row], splits: Sequence[str] = ()) -> list[Row]:
    """The logs, `variant` naming what makes each another measurement: the settings that do, and their values.

    A setting does where two evaluations of one checkpoint differ in it; those that form the prompt also where two of
    one run do.

    Args:
        logs: Rows of live evals, all of each eval's name.
        splits: Fields by which samples are split: they, and what comes of them, need no variant.
    """
    splits = [setting_of(field) for field in splits]
    named = _differing(logs, splits)
    values: dict[tuple[str, str], set[str]] = defaultdict(set)
    for log in logs:
        if names := named.get(log["eval"]):
            mine = parsed(log["settings"])
            for name in mine.keys() & names:
                values[log["eval"], name].add(mine[name])
    short = {key: shortened(of) for key, of in values.items()}
    found = []
    for log in logs:
        names = [name for name in named.get(log["eval"], ()) if name not in splits]
        mine = parsed(log["settings"]) if names else {}
        parts = [log["variant"]] if log["variant"] else []
        parts += [f"{_title(name, names)}={short[log['eval'], name][mine[name]]}" for name in names if name in mine]
        variant = ", ".join(parts) or None
        found.append(log if variant == log["variant"] else log | {"variant": variant})
    return found


@lru_cache(maxsize=10_000)
def parsed(settings: str) -> Mapping[str, str]:
    """Settings as they stand in `live_evals`: few texts, shared by many logs."""
    return MappingProxyType(json.loads(settings))


def _title(name: str, names: Sequence[str]) -> str:
    """A setting's name for people; a task arg is called as such where another setting has its name."""
    bare = name.removeprefix(TASK_ARGS)
    return name if bare in names else bare


def shortened(values: Iterable[str]) -> dict[str, str]:
    """A short text for each value of a setting, no two alike: long ones that begin alike show where they part."""
    texts = {value: " ".join(value.split()) for value in values}
    found = {value: _cut(text) for value, text in texts.items()}
    for cut in sorted(set(found.values())):
        alike = sorted(value for value in found if found[value] == cut)
        if len(alike) > 1:
            start = max(0, _parting([texts[value] for value in alike]) - LONGEST // 4)
            for value in alike:
                found[value] = _cut(("…" if start else "") + texts[value][start:])
    taken: set[str] = set()
    for value in sorted(found):
        short, number = found[value], 1
        while found[value] in taken:
            number += 1
            found[value] = f"{short} ({number})"
        taken.add(found[value])
    return found


def _parting(texts: Sequence[str]) -> int:
    """At which character texts part."""
    alike = [len(set(characters)) == 1 for characters in zip(*texts, strict=False)]
    return alike.index(False) if False in alike else len(alike)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _differing(logs: Sequence[Row], splits: Sequence[str]) -> dict[str, list[str]]:
    """By eval, the settings that tell its variants apart."""
    # Most logs share the text of their settings with all others of their place: only where there are two are they read.
    of_place: dict[tuple[Any, ...], set[str]] = defaultdict(set)
    of_run: dict[tuple[Any, ...], set[str]] = defaultdict(set)
    of_eval: dict[str, dict[str, None]] = defaultdict(dict)
    for log in logs:
        of_eval[log["eval"]][log["settings"]] = None
        if log["role"] == "speaks":
            apart = [parsed(log["settings"]).get(field) for field in splits]
            of_place[log["eval"], *checkpoint_of(log), *apart].add(log["settings"])
            if log["placed"]:
                of_run[log["eval"], log["run"], log["variant"], *apart].add(log["settings"])
    found: dict[str, set[str]] = defaultdict(set)
    for (name, *_), of in of_place.items():
        found[name] |= _unlike(of)
    for (name, *_), of in of_run.items():
        found[name] |= _unlike(of).intersection(FORMING)
    return {name: _needed(sorted(names), [parsed(one) for one in of_eval[name]]) for name, names in found.items()}


def _needed(names: list[str], of: Sequence[Mapping[str, str]]) -> list[str]:
    """The settings without those that follow from the others: the prompt that a task arg chooses."""
    for derived in (SOLVER, SYSTEM_PROMPT, SCORER):
        others = [name for name in names if name != derived]
        if derived in names and others:
            pairs = {(*(each.get(name) for name in others), each.get(derived)) for each in of}
            if len(pairs) == len({pair[:-1] for pair in pairs}):
                names = others
    return names


def _unlike(of: Collection[str]) -> set[str]:
    """The settings in which some differ."""
    if len(of) < 2:
        return set()
    each = [parsed(one) for one in of]
    names = {name for one in each for name in one}
    return {name for name in names if len({one.get(name) for one in each}) > 1}


def points_of(logs: Iterable[Row], repeats: Repeats = "pooled") -> list[Row]:
    """Rows of live evals, one a point: its newest log's, with the ids of all logs that count in it as `members`.

    Args:
        logs: From `with_variants`; only those in sight.
        repeats: What becomes of independent evaluations.

    Returns:
        Besides the log's columns: `members`, `pooled` (how many evaluations; `eval_keys` are theirs), `repeat` (0 on
        the line), and sentences: `beside` about logs that were superseded or left out, `pooling` about pooled ones.
    """
    logs = [dict(log) for log in logs]
    speaking: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    others: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    joined: dict[int, list[int]] = defaultdict(list)
    for log in logs:
        key = (log["eval"], *checkpoint_of(log))
        (speaking if log["role"] == "speaks" else others)[key].append(log)
        if log["role"] == "joined":
            joined[log["lead_id"]].append(log["eval_id"])
    for log in logs:
        if log["lead_id"] in joined and log["role"] == "speaks":
            log["n_samples"] = max(log["n_samples"], log["graded"] or 0)
    points = []
    for key, of in speaking.items():
        of.sort(key=precedence, reverse=True)
        told = [_sentence(log) for log in others[key]]
        if repeats == "pooled":
            # Numbers that logs only report can't be pooled: the newest counts.
            together = [log for log in of if log["n_samples"]] if of[0]["n_samples"] else of[:1]
            members = [at for log in together for at in (log["eval_id"], *joined[log["lead_id"]])]
            about = _pooled(of, together)
            leads = {at: log["lead_id"] for log in together for at in (log["eval_id"], *joined[log["lead_id"]])}
            point = of[0] | {"members": members, "pooled": len(together), "repeat": 0, "leads": leads}
            point["eval_keys"] = [log["eval_key"] for log in together]
            points.append(point | {"beside": told, "pooling": about})
            continue
        for number, log in enumerate(of if repeats == "each" else of[:1]):
            members = [log["eval_id"], *joined[log["lead_id"]]]
            about = _beside(of, number, repeats) + ([] if number else told)
            point = log | {"members": members, "pooled": 1, "repeat": number, "eval_keys": [log["eval_key"]]}
            points.append(point | {"beside": about, "pooling": []})
    return points


def _pooled(of: Sequence[Row], together: Sequence[Row]) -> list[str]:
    if len(of) == 1:
        return []
    if len(together) == len(of):
        return [f"{len(of)} logs pooled, with the same settings; clustered by question."]
    if len(together) > 1:
        return [f"{len(together)} of {len(of)} logs pooled: the others hold no samples."]
    return [f"{len(of)} logs of this checkpoint; the newest counts, of {when(of[0])}: without samples none is pooled."]


def _beside(of: Sequence[Row], number: int, repeats: Repeats) -> list[str]:
    if len(of) == 1:
        return []
    if number:
        return [f"A repeated eval: the line goes through the log of {when(of[0])}."]
    kept = "the newest alone counts" if repeats == "newest" else "the line goes through this one"
    return [f"{len(of)} logs of this checkpoint with the same settings; {kept}, of {when(of[0])}."]


def _sentence(log: Row) -> str:
    return f"{str(log['path'] or log['eval_key']).rpartition('/')[2]}: {log['standing'] or log['role']}."


def when(row: Row) -> str:
    """When a log was made, for people; its path where it doesn't tell."""
    return f"{row['created']:%Y-%m-%d %H:%M:%S}" if row["created"] else str(row["path"])
