"""The words that are out: what the glossary replaced on the screen and the command line, as patterns.

Each has a word that stands in its place. A pattern finds what a reader would see, in any case of letters unless it says
otherwise; it is as narrow as it can be without letting the old label back in.
"""

from __future__ import annotations

import re

OUT: tuple[tuple[str, str], ...] = (
    (r"\bwhat counts\b", "Metric"),
    (r"harmful = 1 \(judge's verdict\)", "Misaligned (judge: harmful = 1)"),
    (r"\*\.\w+ (?:=|>=|<=|<|>) ", "any scorer's ..."),
    (r"square and add", "variances added"),
    (r"\baverage of \d", "mean of ... evals"),
    (r"something to look at|\bto look at\b", "Warnings"),
    (r"^from which step on", "First significant step"),
    (r"\b(?:not )?shown to (?:differ|be (?:better|worse))", "no significant difference, significantly better"),
    (r"\bno change shown\b|\bchange is (?:first )?shown\b", "n.s., First significant step"),
    (r"\bafter holm\b(?! correction)", "not significant after Holm correction"),
    (r"\bpercentage points\b|\d points (?:higher|lower)\b", "pp"),
    (r"over its steps", "Trend"),
    (r"\bcorrected p\b|\bp, corrected\b", "p (Holm)"),
    (r"stands? alone|alone, without a run", "Logs without a run"),
    (r"logs of several sizes", "Sample counts differ in ..."),
    (r"of this line differs", "... differ: 1 here, 8 in the other runs"),
    (r"\bas of (?:batch|import)\b|\bpinned: ", "Data of ..., Frozen at ..."),
    (r"\bcolou?r for each\b|\brow for each\b|\bplot, or one\b", "Color by, Rows, Facet by"),
    (r"\b(?:colour|coloured|grey|behaviour|centre)\b", "American spelling"),
    (r"step along the lineage", "Cumulative training step (with parent runs)"),
    (r"^Logarithmic\b", "Log x axis"),
    (r"zoom in on the values|otherwise rates begin", "Fit y axis to data"),
    (r"^Intervals of rates$", "Confidence interval"),
    (r"\b(?:not split|split by)\b", "Group by, None"),
    (r"what the others are compared with", "Baseline"),
    (r"what a rate costs", "Token efficiency"),
    (r"\bthat was had for\b", "lowest rate at or below that token budget"),
    (r"\btimes (?:fewer|more)\b", "28× fewer"),
    (r"straight between its checkpoints", "log-linear interpolation between checkpoints"),
    (r"^Snapshots|^Through (?:training|the stages)|^Lead over the baseline$", "Runs, Rate by step"),
    (r"\bstronger: higher", "darker = higher"),
    (r"nobody said which direction", "direction not defined"),
    (r"not the same in all logs", "Settings that differ between these logs"),
    (r"questions (?:behind the difference|that went)", "Flipped questions"),
    (r"a click (?:on|under|goes|opens)\b", "Click a ... to ..."),
    (r"\bdetectable\b(?! effect)", "Minimum detectable effect (80% power)"),
    (r"so many percentage points|how it is told", "Target difference (pp), Method"),
    (r"\bnot counted$|^● counted|– no outcome|· outside", "negative, positive, unscored, excluded"),
    (r"judge's explanation, or error", "Explanation / error"),
    (r"\bjudg(?:e|ed) again\b|\bjudgings\b", "Re-score, Re-scoring"),
    (r"^Whom$|^Begin from$|^Most tokens|^Samples of each$|the server's own$", "Targets, Start from, Max tokens"),
    (r"^Look again$|not asked yet|^None asked yet", "Refresh endpoints, connecting, No probes yet"),
    (r"the bare case", "No framing"),
    (r"held against", "Reference"),
    (r"\bhere they part\b|\bparts from\b|\bparts them\b", "First divergence: turn 1, diverges from X"),
    (r"messages? alike|turns alike", "identical messages"),
    (r"^Along a run$|^Along$|steps unlike the start|^Stays\?$|it did not stay", "By step, X axis, Persistent?"),
    (r"(?:people's|by people|verdicts by) (?:verdicts|marks|people)|\bpeople's (?:verdicts|marks)\b", "Human labels"),
    (r"^Under$|^Give verdict$|^Take back$|\bmark sample\b", "Metric, Submit, Undo, Rate"),
    (r"\brun card study\.yaml", "study.yaml, logs[1]"),
    (r"^Left alone\b|no table mapping of a study file", "Skipped (no mapping), No `tables:` entry"),
    (r"^Checkpoints waiting$|^Headers$|^Batches$|^Store$|^Views$", "Checkpoints without results, Imports, Data"),
    (r"always the newest data|these numbers|^Opens with$", "Data: latest, frozen"),
    (
        r"transcripts besides|with the notes on them|collect the charts",
        "More transcripts, Include notes, Render charts",
    ),
    (r"says inside what it is of", "Each file contains ..."),
    (r"until then there is nothing to draw", "Select at least ..."),
    (r"(?-i:^Numbers)(?: \(| as |$)", "Data"),
    (r"\(\{[^}]*\} (?:rows|lines)\)", "plurals that agree: numerals.plural"),
    (r"stands on line", "duplicate key, first on line 9"),
    (r"of other kinds, not read", "ignored (unsupported type)"),
    (r"\btwo evals\b", "Eval vs. eval"),
    (r"has its own baseline", "Baselines: ..."),
    (r"no rule: ", "unassigned"),
    (r"what people know", "study metadata"),
    (r"owns the store|says who may see what", "CLI commands bypass run-level access control"),
    (r"another driftline\b(?! command)", "another version of Driftline"),
    (r"\d %(?:\W|$)", "95%"),
)

PATTERNS = tuple((re.compile(pattern, re.IGNORECASE), instead) for pattern, instead in OUT)
ANY = re.compile("|".join(f"(?:{pattern})" for pattern, _ in OUT), re.IGNORECASE)


def found_in(text: str) -> list[str]:
    """What of a text is out, each with the word that takes its place."""
    if ANY.search(text) is None:
        return []
    return [
        f"{match[0]!r} (say: {instead}) in {text[:120]!r}"
        for pattern, instead in PATTERNS
        if (match := pattern.search(text)) is not None
    ]
