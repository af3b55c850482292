"""The pages: one more is one entry here, and a folder in `app_pages`.

Navigation, addresses, saved views and tests read this list. Pure: no page is needed to ask it.
"""

from __future__ import annotations

from dataclasses import dataclass

from dashboard import links
from dashboard.links import BOUND, FILTER, MEASURED


@dataclass(frozen=True)
class Page:
    """A page.

    Attributes:
        name: In addresses.
        title: As the navigation and its own head show it.
        section: Of the navigation that it stands in; empty for those that stand by themselves.
        icon: Name of a Material symbol.
        help: What it shows, in a sentence.
        parameters: The query parameters that belong to it.
        for_admins: Whether the navigation shows it to admins alone.
        folder: That its script is in; the name where nothing else is said.
    """

    name: str
    title: str
    section: str
    icon: str
    help: str
    parameters: frozenset[str]
    for_admins: bool = False
    folder: str = ""

    @property
    def file(self) -> str:
        """Its script, from the folder of `app.py`: by it Streamlit knows the page."""
        return f"app_pages/{self.folder or self.name}/page.py"


PAGES = (
    Page(
        links.OVERVIEW, "Overview", "", "home",
        "The study, its runs with their latest rates, and what needs attention.",
        BOUND | {"eval", "metric"},
    ),
    Page(
        links.CURVES, "Curves", "", "show_chart",
        "Rates over training, a line per run or data mix. Click a point to see its samples.",
        BOUND | MEASURED | {"run", "mix", "stage"},
    ),
    Page(
        links.MIXES, "Data mixes", "", "scatter_plot",
        "Rates against training tokens: frontier, ablations, scaling of a corpus, what the mixes are made of.",
        BOUND | MEASURED | {"run", "mix", "baseline", "against"},
    ),
    Page(
        links.PERSISTENCE, "Persistence", "", "timeline",
        "Does a lead last? Initial snapshots through further training, and their lead over a baseline.",
        BOUND | MEASURED | {"run", "baseline"},
    ),
    Page(
        links.ASSESSMENT, "Assessment", "", "grid_on",
        "Categories by checkpoints, as a heatmap or as dots with intervals.",
        BOUND | MEASURED | {"run", "checkpoint", "category", "colour"},
    ),
    Page(
        links.COMPARE, "Compare", "", "compare_arrows",
        "Two to eight checkpoints: differences with intervals, and the questions that flipped.",
        BOUND | MEASURED | {"checkpoint", "baseline", "pair", "target", "target_score"},
    ),
    Page(
        links.SAMPLES, "Samples", "Samples", "list",
        "Samples by run, step, eval, outcome and text. Click a row to read its transcript.",
        FILTER | {"page"},
    ),
    Page(
        links.TRANSCRIPT, "Transcript", "Samples", "forum",
        "One sample: its messages, tool calls, scores and where it comes from.",
        FILTER | {"log", "sample", "epoch", "find", "part", "message"},
    ),
    Page(
        links.BESIDE, "Side by side", "Samples", "view_column_2",
        "One question at two to six checkpoints, turn by turn: where they part, and what the judge said of each.",
        BOUND | {"eval", "metric", "sample", "checkpoint", "epoch", "to", "variant", "run", "part"},
    ),
    Page(
        links.PROBE, "Probe", "Models", "science",
        "One dilemma, several checkpoints, side by side, now.",
        frozenset(
            {"probe", "view", "ask", "point", "by", "to", "sample_no", "model", "preset", "run", "eval", "metric"}
        )
        | {"log", "sample", "epoch", "upto", "reply"},
    ),
    Page(
        links.RESCORINGS, "Judgings", "Models", "gavel",
        "Stored transcripts judged again by another model or rubric, beside their first score.",
        FILTER | {"begin", "judging", "between", "said"},
        folder="rescorings",
    ),
    Page(
        links.VIEWS, "Views", "Review", "bookmarks",
        "Pages that were saved under a name, with notes.",
        frozenset({"view", "find"}),
    ),
    Page(
        links.NOTES, "Notes", "Review", "comment",
        "Everything that was noted on points, samples, messages and replies.",
        frozenset({"thread", "state", "kind", "tag", "author", "text"}),
    ),
    Page(
        links.AGREEMENT, "Agreement", "Review", "handshake",
        "People's verdicts against the judge's, and the rates with them in its place.",
        frozenset({"eval", "run", "metric", "person", "until", "cell"}),
    ),
    Page(
        links.REPORT, "Report", "Review", "summarize",
        "Saved views, notes and transcripts as one file that opens offline.",
        frozenset({"title", "saved"}),
    ),
    Page(
        links.DATA, "Data", "Store", "database",
        "What was ingested when, what was rejected and why, and what each run has and lacks.",
        frozenset({"show", "run"}),
    ),
    Page(
        links.AUDIT, "Audit", "Store", "policy",
        "Who shared, exported, asked, judged, wrote and signed in, and when.",
        frozenset({"who", "action", "text", "since", "until", "page"}),
        for_admins=True,
    ),
)  # fmt: skip
"""In the order of the navigation."""

NAMED = {page.name: page for page in PAGES}


def page_file(name: str) -> str:
    """The script of a page, for links that Streamlit makes."""
    return NAMED[name].file
