"""The Methods paragraph of what was shown: which intervals, tests and corrections, with their references. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from dashboard.exports.facts import Facts
from dashboard.texts.verdicts import within

MILLER = "Miller (2024), Adding error bars to evals, arXiv:2411.00640."

SAID: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    (
        "Wilson",
        "Intervals of rates are Wilson score intervals.",
        ("Wilson (1927), JASA 22, 209-212.",),
    ),
    (
        "Clopper-Pearson",
        "Intervals of rates are exact (Clopper-Pearson).",
        ("Clopper & Pearson (1934), Biometrika 26, 404-413.",),
    ),
    (
        "clustered",
        "Samples of one question (or cluster) count as clustered: intervals of rates are taken at the effective sample"
        " size, standard errors are cluster-robust.",
        ("Korn & Graubard (1998), Survey Methodology 24, 193-201.", MILLER),
    ),
    (
        "variances added",
        "Means over evals weigh each eval alike and treat evals as independent: the distances to the bounds are squared"
        " and added.",
        ("Zou & Donner (2008), Statistics in Medicine 27, 1693-1702.",),
    ),
    (
        "Newcombe, paired",
        "Differences of rates are paired by question, with Newcombe's interval (method 10).",
        ("Newcombe (1998), Statistics in Medicine 17, 2635-2650.",),
    ),
    (
        "Newcombe, unpaired",
        "Differences of rates over different questions have Newcombe's hybrid score interval.",
        ("Newcombe (1998), Statistics in Medicine 17, 873-890.",),
    ),
    ("t, paired", "Differences of means are paired by question (t interval).", (MILLER,)),
    ("t, unpaired", "Differences of means over different questions are Welch's.", ("Welch (1947), Biometrika 34.",)),
    ("McNemar", "Paired rates are tested by McNemar's exact test.", ("McNemar (1947), Psychometrika 12, 153-157.",)),
    ("interval inverted", "p-values are the levels at which the interval just reaches 0.", ()),
    ("Holm", "p-values are corrected by Holm's method over what is compared.", ("Holm (1979), Scand. J. Stat. 6.",)),
    (
        "Benjamini-Hochberg",
        "p-values are corrected for the false discovery rate over what is compared.",
        ("Benjamini & Hochberg (1995), JRSS B 57, 289-300.",),
    ),
    (
        "equivalence",
        "Equivalence within the margin is tested by two one-sided tests at 5%, corrected like the differences.",
        ("Schuirmann (1987), J. Pharmacokinet. Biopharm. 15, 657-680.",),
    ),
    (
        "band",
        "Bands are simultaneous (sup-t) 95% bands over the steps of a run; from which step on a difference holds is"
        " read off them.",
        ("Montiel Olea & Plagborg-Møller (2019), J. Appl. Econometrics 34, 1-17.",),
    ),
)  # fmt: skip
"""What a word among the methods of the numbers says of all of them, and its references."""

ALWAYS = (
    "Rates are of the samples with an outcome; samples without one are missing and counted beside. Intervals are 95%"
    " unless said otherwise, and cover the sampling of questions and answers, not another training run."
)


def methods_text(frames: Sequence[pd.DataFrame], facts: Sequence[Facts]) -> str:
    """A paragraph that says how the numbers of some charts were made, and its references; "" where nothing is known.

    Args:
        frames: The numbers behind the charts.
        facts: Of each chart.
    """
    told = _words(frames)
    said = [(text, sources) for word, text, sources in SAID if any(word in each for each in told)]
    if not said:
        return ""
    margins = dict.fromkeys(
        within(margin, kind)
        for frame in frames
        if {"margin", "kind"} <= set(frame)
        for margin, kind in frame[["margin", "kind"]].dropna().itertuples(index=False)
    )
    definitions = list(dict.fromkeys(each for one in facts for each in one.definitions))
    data = list(dict.fromkeys(f"{one.batch}, Driftline {one.driftline}" for one in facts))
    parts = [
        *([f"Outcomes: {'; '.join(definitions)}."] if definitions else []),
        ALWAYS,
        *(text for text, _ in said),
        *([f"Equivalence margin: {', '.join(margins)}."] if margins else []),
        *([f"{'; '.join(data)}."] if data else []),
    ]
    references = list(dict.fromkeys(source for _, sources in said for source in sources))
    return " ".join(parts) + ("\n\nReferences: " + " ".join(references) if references else "")


def _words(frames: Sequence[pd.DataFrame]) -> set[str]:
    """All names of methods among the numbers."""
    found: set[str] = set()
    for frame in frames:
        for name in ("interval", "method", "test", "correction"):
            if name in frame:
                found |= {str(value) for value in frame[name].dropna().unique()}
        if "margin" in frame and frame["margin"].notna().any():
            found.add("equivalence")
        if "band_low" in frame and frame["band_low"].notna().any():
            found.add("band")
        if "p_corrected" in frame and "correction" not in frame and frame["p_corrected"].notna().any():
            found.add("Holm")
    return found
