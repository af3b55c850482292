"""What the Compare page begins with, and how it tells what it shows: checkpoints, what differs, settings. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from dashboard.kit.pickers.checkpoints import Row
from dashboard.links import Parameters, parameters, where
from dashboard.queries.rows import checkpoint_name, is_missing, step_of
from dashboard.statistics import Correction

NAMED = 6
"""Checkpoints or evals named in one sentence; more are counted."""

DIFFERS = "≠"

GRAVEST = ("judge", "task version", "prompts", "epochs", "dataset")
LIGHTEST = ("questions", "status", "measured")
"""What is told first and last of what differs; settings and task args stand between."""

CORRECTIONS: dict[str, Correction] = {"Holm": "holm", "BH": "bh", "none": "none"}
"""As the page's switch and its address name them."""

TABLE: dict[str, str] = {
    "eval": "Eval", "variant": "Variant", "split": "Split", "split2": "Second split", "checkpoint": "Checkpoint",
    "k": "k", "n": "n", "rate": "Rate", "difference": "Difference", "low": "Low", "high": "High",
    "verdict": "Verdict", "needed": "Questions needed", "p_corrected": "p (corrected)",
    "p_equivalence_corrected": "p (TOST)", "p": "p", "baseline_k": "Baseline k", "baseline_n": "Baseline n",
    "baseline_rate": "Baseline rate", "rate_low": "Rate low", "rate_high": "Rate high",
    "baseline_rate_low": "Baseline low", "baseline_rate_high": "Baseline high", "paired": "Paired",
    "questions": "Questions in common", "effect": "Effect", "effect_kind": "Kind of effect",
    "detectable": "Minimum detectable effect (80% power)", "metric": "Metric", "method": "Interval", "test": "Test",
}  # fmt: skip
"""Columns of the page's table, and how they are headed: what is read first stands where no screen cuts it off."""


def with_members(names: Sequence[str], evals: pd.DataFrame) -> list[str]:
    """Evals and groups, each group followed by its members that are there.

    Args:
        names: Of evals and groups.
        evals: `EVAL_COLUMNS`.
    """
    members = dict(zip(evals["eval"], evals["members"], strict=True))
    return list(dict.fromkeys(one for name in names for one in (name, *members.get(name, [])) if one in members))


def evals_of(evals: pd.DataFrame, coverage: pd.DataFrame, checkpoints: Sequence[str]) -> pd.DataFrame:
    """Rows of `EVAL_COLUMNS` of what at least two checkpoints have, groups by their members; all where none has.

    Args:
        evals: `EVAL_COLUMNS`.
        coverage: `COVERAGE_COLUMNS`.
        checkpoints: Names.
    """
    at: dict[str, set[str]] = {}
    for row in coverage[coverage["eval"].notna()].to_dict("records"):
        if checkpoint_name(row) in checkpoints:
            at.setdefault(row["eval"], set()).add(checkpoint_name(row))
    shared = {name for name, places in at.items() if len(places) > 1}
    some = [bool(shared & {name, *members}) for name, members in zip(evals["eval"], evals["members"], strict=True)]
    return evals[some] if any(some) else evals


def differing_lines(
    incomparable: pd.DataFrame, others: int, checkpoints: Mapping[str, str], evals: Mapping[str, str]
) -> list[str]:
    """What differs besides the checkpoint, each sentence once, with the checkpoints and evals that it concerns.

    Args:
        incomparable: `INCOMPARABLE_COLUMNS`.
        others: How many checkpoints are compared with the baseline.
        checkpoints: Checkpoint to its title.
        evals: Eval to its title.
    """
    entries = []
    for row in sorted(incomparable.to_dict("records"), key=_gravity):
        message, place = row["message"], row["checkpoint"]
        if row["what"] == "measured":
            # Said once of all checkpoints that lack it.
            place = row["checkpoint"] if row["value"] == "no" else row["baseline"]
            message = message.removesuffix(f" at {place}") + " at"
        entries.append((message, _words(row, evals), place))
    return _each_once(entries, others, checkpoints)


def flag_lines(
    differences: pd.DataFrame, others: int, checkpoints: Mapping[str, str], evals: Mapping[str, str]
) -> list[str]:
    """What is to be known of single differences, each sentence once.

    Args:
        differences: `DIFFERENCE_COLUMNS`.
        others: How many checkpoints are compared with the baseline.
        checkpoints: Checkpoint to its title.
        evals: Eval or group to its title.
    """
    rows = differences.to_dict("records")
    entries = [(flag, _words(row, evals), row["checkpoint"]) for row in rows for flag in row["flags"]]
    return _each_once(entries, others, checkpoints)


def settings_table(
    settings: pd.DataFrame, checkpoints: Sequence[str], baseline: str, *, only_differing: bool
) -> pd.DataFrame:
    """Settings down, checkpoints across; those that differ first, each value that is not the baseline's marked.

    Args:
        settings: Rows of `SETTING_COLUMNS` of one eval and variant.
        checkpoints: In order.
        baseline: Which of them is the baseline.
        only_differing: Leave out settings that are the same everywhere.

    Returns:
        Columns "differs" (a mark or nothing), "setting", then one of each checkpoint that has the eval, the baseline
        first.
    """
    order = [baseline, *(name for name in checkpoints if name != baseline)]
    rows = []
    for setting, some in settings.groupby("setting", sort=False):
        differs = bool(some["differs"].any())
        if only_differing and not differs:
            continue
        values = dict(zip(some["checkpoint"], some["value"], strict=True))
        usual = values.get(baseline)
        row = {"differs": DIFFERS if differs else "", "setting": setting}
        for name in order:
            if name in values:
                value = values[name]
                row[name] = f"{DIFFERS} {value}" if usual is not None and value != usual else value
        rows.append(row)
    present = [name for name in order if name in set(settings["checkpoint"])]
    frame = pd.DataFrame(rows, columns=["differs", "setting", *present])
    return frame.sort_values("differs", ascending=False, kind="stable").reset_index(drop=True)


def flips_of(frame: pd.DataFrame, row: Row, members: Sequence[str]) -> pd.DataFrame:
    """The questions behind one difference: of its eval, or of all members of its group.

    Args:
        frame: `FLIP_COLUMNS` or `CHANGE_COLUMNS`.
        row: A row of `DIFFERENCE_COLUMNS`.
        members: The evals of its group, or its own.
    """
    mine = frame["checkpoint"] == row["checkpoint"]
    mine &= frame["eval"].isin(members if row["group"] else [row["eval"]])
    if row["metric"] in set(frame["metric"]):
        # A group whose members are measured by different metrics has a name of its own for them.
        mine &= frame["metric"] == row["metric"]
    for name in ("variant", "split", "split2"):
        mine &= frame[name].isna() if is_missing(row[name]) else frame[name] == row[name]
    found: pd.DataFrame = frame[mine]
    # First those that got worse.
    return found.sort_values("change", ascending=row["better"] == "higher", kind="stable", ignore_index=True)


def samples_of(row: Row, side: str, place: Row, splits: Sequence[str]) -> Parameters:
    """The Samples page of one side of a comparison, for previous and next from a transcript.

    Args:
        row: A row of `FLIP_COLUMNS` or `CHANGE_COLUMNS`.
        side: "" for the checkpoint's, "baseline_" for the baseline's.
        place: A row with run, step and step_label of that checkpoint.
        splits: The fields that evals are split by.
    """
    step = step_of(place)
    return parameters(
        run=[place["run"]],
        step=None if step is None else [step],
        eval=[row["eval"]],
        metric=row["metric"],
        where=[where(field, row[name]) for field, name in zip(splits, ("split", "split2"), strict=False)] or None,
        in_log=[row[f"{side}eval_key"]],
    )


def _each_once(entries: Sequence[tuple[str, str, str]], others: int, titles: Mapping[str, str]) -> list[str]:
    """Sentences with the checkpoints and evals that each concerns.

    Args:
        entries: Sentence, eval, and checkpoint.
        others: How many checkpoints are compared with the baseline.
        titles: Checkpoint to its title.
    """
    concerned: dict[str, dict[str, dict[str, None]]] = {}
    for sentence, name, place in entries:
        concerned.setdefault(sentence, {}).setdefault(name, {})[place] = None
    told = []
    for sentence, of in concerned.items():
        by_checkpoints: dict[tuple[str, ...], list[str]] = {}
        for name, where_it_is in of.items():
            by_checkpoints.setdefault(tuple(where_it_is), []).append(name)
        for places, names in by_checkpoints.items():
            who = "every checkpoint" if len(places) == others > 1 else _several([titles.get(p, p) for p in places])
            told.append(f"{sentence} · {who} · {_several(names)}")
    return told


def _gravity(row: Row) -> int:
    ranks = [*GRAVEST, None, *LIGHTEST]
    return ranks.index(row["what"] if row["what"] in ranks else None)


def _words(row: Row, titles: Mapping[str, str]) -> str:
    values = [str(row[name]) for name in ("split", "split2") if not is_missing(row[name])]
    return " · ".join([titles.get(row["eval"], row["eval"]), *values])


def _several(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
