"""What the Data mixes page begins with, and which checkpoints of a run it shows. Pure."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import pandas as pd

from dashboard.charts.families import families
from dashboard.kit.pickers.series import MOST_RUNS, default_evals, default_runs
from dashboard.queries.checkpoints import LAST_LABELS

View = Literal["efficiency", "ablations", "scaling", "eval-vs-eval", "composition"]
VIEWS: dict[View, str] = {
    "efficiency": "Token efficiency",
    "ablations": "Ablations",
    "scaling": "Scaling",
    "eval-vs-eval": "Eval vs. eval",
    "composition": "Composition",
}

Steps = Literal["last of each run", "all"]
STEPS: tuple[Steps, ...] = get_args(Steps)

FULL = re.compile(r"\b(full|complete)\b", re.IGNORECASE)
"""How people name the variant that has everything in it."""

ALONE = -1
"""Stands for the family of runs without any."""

MOST_MIXES = 20
"""Mixes whose composition is shown at first."""


@dataclass(frozen=True, slots=True)
class First:
    """What a view begins with."""

    evals: list[str]
    runs: list[str]


def first_picks(
    view: View, runs: pd.DataFrame, evals: pd.DataFrame, metrics: pd.DataFrame, here: pd.DataFrame
) -> First:
    """Begin with runs that can be compared: of one section, on evals that all of them have.

    Args:
        view: Which view.
        runs: `RUN_COLUMNS`.
        evals: `EVAL_COLUMNS`.
        metrics: `METRIC_COLUMNS` of all evals.
        here: `COVERAGE_COLUMNS`.
    """
    usual = default_evals(evals, metrics)
    members = members_of(evals, usual)
    if view == "composition":
        return First(usual, _told_mixes(runs) or default_runs(runs, here))
    with_tokens = _measured(here[here["tokens"].notna()], members, every=True)
    together = [[run for run in of if run in with_tokens] for of in kin(runs)]
    mix = dict(zip(runs["run"], runs["mix"], strict=True))
    best = max(together, key=lambda of: len({mix[run] for run in of}), default=[])[:MOST_RUNS]
    if len(best) < 2:
        best = [str(run) for run in runs["run"] if run in with_tokens][:MOST_RUNS]
    best = best or default_runs(runs, here[here["eval"].isin(members)])
    if view == "ablations":
        names = {
            row["run"]: f"{row['run']} {row['run_label']} {row['mix']}".replace("-", " ").replace("_", " ")
            for row in runs.to_dict("records")
        }
        measured = _measured(here, members, every=True)
        named = [
            [run for run in of if run in measured] for of in kin(runs) if any(FULL.search(names[run]) for run in of)
        ]
        return First(usual, max(named, key=len, default=[]) or best)
    if view == "scaling":
        corpus = _corpus(runs, here, members)
        if corpus:
            whole = [name for name in members if set(corpus) <= _measured(here, [name], every=True)]
            return First(usual if len(whole) == len(members) else whole or usual, corpus)
    if view == "eval-vs-eval":
        return First([*usual[:1], *_second(evals, here, members, best)], best)
    return First(usual, best)


def kin(runs: pd.DataFrame) -> list[list[str]]:
    """Runs of one section together; where there are no sections, runs that descend from the same run.

    Runs of which no lineage is known (neither parent nor child) are together.

    Args:
        runs: `RUN_COLUMNS`.
    """
    parents = {
        str(run): parent if isinstance(parent, str) else None
        for run, parent in zip(runs["run"], runs["parent_run"], strict=True)
    }
    members = families(parents)
    size = Counter(member.family for member in members)
    family = {member.run: member.family if size[member.family] > 1 else ALONE for member in members}
    found: dict[str | int, list[str]] = {}
    for run, section in zip(runs["run"], runs["section"], strict=True):
        found.setdefault(section if isinstance(section, str) else family[run], []).append(str(run))
    return list(found.values())


def members_of(evals: pd.DataFrame, names: Sequence[str]) -> list[str]:
    """The evals behind names of evals and groups."""
    of = dict(zip(evals["eval"], evals["members"], strict=True))
    return list(dict.fromkeys(each for name in names for each in (of.get(name) or [name])))


def full_pipeline(points: pd.DataFrame, parents: Mapping[str, object]) -> str:
    """What variants are compared with at first: one that is named as full; else what most others were trained from.

    Args:
        points: Columns checkpoint, run, run_label, mix; at least one row.
        parents: Run to parent run.
    """
    rows = points.drop_duplicates("checkpoint").to_dict("records")
    for row in rows:
        if FULL.search(re.sub("[-_]", " ", f"{row['run']} {row['run_label']} {row['mix']}")):
            return str(row["checkpoint"])
    children = Counter(parents.get(row["run"]) for row in rows)
    return str(max(rows, key=lambda row: children[row["run"]])["checkpoint"])


def at_steps(rates: pd.DataFrame, steps: Steps) -> pd.DataFrame:
    """Rates of all checkpoints, or of the last of each run on each eval.

    The last is one that is labelled so, else the one of the highest step, else of most tokens; where nothing tells,
    all stay.

    Args:
        rates: Rows of `RATE_COLUMNS`.
        steps: Which.
    """
    if steps == "all" or rates.empty:
        return rates
    kept = []
    for _, of in rates.groupby(["run", "eval", "metric"], sort=False, dropna=False):
        labelled = of["step_label"].isin(LAST_LABELS) & of["step"].isna()
        if labelled.any():
            kept.append(of[labelled])
        elif of["step"].notna().any():
            kept.append(of[(of["step"] == of["step"].max()).fillna(False)])
        else:
            kept.append(of[of["tokens"] == of["tokens"].max()] if of["tokens"].notna().any() else of)
    return pd.concat(kept).sort_index()


def _measured(here: pd.DataFrame, members: Sequence[str], *, every: bool) -> set[str]:
    """Runs that were measured on every one of some evals, or on any."""
    of = here[here["eval"].isin(members)].groupby("run")["eval"].nunique()
    return {str(run) for run in of[of >= (len(set(members)) if every else 1)].index}


def _corpus(runs: pd.DataFrame, here: pd.DataFrame, members: Sequence[str]) -> list[str]:
    """Runs of one section and mix with most different numbers of tokens, of three at least."""
    tokens = here[here["eval"].isin(members)].groupby("run")["tokens"].max().dropna()
    mix = dict(zip(runs["run"], runs["mix"], strict=True))
    found: dict[tuple[int, str], list[str]] = {}
    for number, of in enumerate(kin(runs)):
        for run in of:
            if run in tokens.index and isinstance(mix[run], str):
                found.setdefault((number, mix[run]), []).append(run)
    most = max(found.values(), key=lambda of: tokens[of].nunique(), default=[])
    return most if len(most) and tokens[most].nunique() >= 3 else []


def _second(evals: pd.DataFrame, here: pd.DataFrame, members: Sequence[str], picked: Sequence[str]) -> list[str]:
    """Another eval that most of these runs have."""
    names = evals[~evals["group"] & ~evals["eval"].isin(members)]["eval"]
    counts = here[here["run"].isin(picked) & here["eval"].isin(names)].groupby("eval")["run"].nunique()
    others = counts.sort_values(ascending=False, kind="stable").index.tolist()
    return [str(name) for name in (others or [name for name in members if len(members) > 1][:1])][:1]


def _told_mixes(runs: pd.DataFrame) -> list[str]:
    """One run for each mix of which it is known how much of what is in it."""
    found: dict[str, str] = {}
    for row in runs.to_dict("records"):
        parts = row["mix_components"] or []
        if any(part.get("tokens") or part.get("share") for part in parts):
            found.setdefault(row["mix"] if isinstance(row["mix"], str) else json.dumps(parts), str(row["run"]))
    return list(found.values())[:MOST_MIXES]
