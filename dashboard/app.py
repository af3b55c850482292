"""The dashboard's pages: configuration and navigation, nothing else."""

from itertools import chain
from pathlib import Path

import streamlit as st

from dashboard import links
from dashboard.kit.page import fragments, shell, signing_in

st.set_page_config(page_title="Driftline", page_icon=Path(__file__).with_name("icon.svg"), layout="wide")

overview = st.Page(
    "app_pages/overview/page.py",
    title="Overview",
    url_path=links.OVERVIEW,
    icon=":material/home:",
    help="The study, its runs with their latest rates, and what needs attention.",
)
curves = st.Page(
    "app_pages/curves/page.py",
    title="Curves",
    url_path=links.CURVES,
    icon=":material/show_chart:",
    help="Rates over training, a line per run or data mix. Click a point to see its samples.",
)
mixes = st.Page(
    "app_pages/mixes/page.py",
    title="Data mixes",
    url_path=links.MIXES,
    icon=":material/scatter_plot:",
    help="Rates against training tokens: frontier, ablations, scaling of a corpus, what the mixes are made of.",
)
persistence = st.Page(
    "app_pages/persistence/page.py",
    title="Persistence",
    url_path=links.PERSISTENCE,
    icon=":material/timeline:",
    help="Does a lead last? Initial snapshots through further training, and their lead over a baseline.",
)
assessment = st.Page(
    "app_pages/assessment/page.py",
    title="Assessment",
    url_path=links.ASSESSMENT,
    icon=":material/grid_on:",
    help="Categories by checkpoints, as a heatmap or as dots with intervals.",
)
compare = st.Page(
    "app_pages/compare/page.py",
    title="Compare",
    url_path=links.COMPARE,
    icon=":material/compare_arrows:",
    help="Two to eight checkpoints: differences with intervals, and the questions that flipped.",
)
beside = st.Page(
    "app_pages/beside/page.py",
    title="Side by side",
    url_path=links.BESIDE,
    icon=":material/view_column_2:",
    help="One question at two to six checkpoints, turn by turn: where they part, and what the judge said of each.",
)
probe = st.Page(
    "app_pages/probe/page.py",
    title="Probe",
    url_path=links.PROBE,
    icon=":material/science:",
    help="One dilemma, several checkpoints, side by side, now.",
)
judgings = st.Page(
    "app_pages/judgings/page.py",
    title="Judgings",
    url_path=links.JUDGINGS,
    icon=":material/gavel:",
    help="Stored transcripts judged again by another model or rubric, beside their first score.",
)
samples = st.Page(
    "app_pages/samples/page.py",
    title="Samples",
    url_path=links.SAMPLES,
    icon=":material/list:",
    help="Samples by run, step, eval, outcome and text. Click a row to read its transcript.",
)
transcript = st.Page(
    "app_pages/transcript/page.py",
    title="Transcript",
    url_path=links.TRANSCRIPT,
    icon=":material/forum:",
    help="One sample: its messages, tool calls, scores and where it comes from.",
)
data = st.Page(
    "app_pages/data/page.py",
    title="Data",
    url_path=links.DATA,
    icon=":material/database:",
    help="What was ingested when, what was rejected and why, and what each run has and lacks.",
)
audit = st.Page(
    "app_pages/audit/page.py",
    title="Audit",
    url_path=links.AUDIT,
    icon=":material/policy:",
    help="Who shared, exported, asked, judged, wrote and signed in, and when.",
    visibility="visible" if signing_in.is_admin() else "hidden",
)
views = st.Page(
    "app_pages/views/page.py",
    title="Views",
    url_path=links.VIEWS,
    icon=":material/bookmarks:",
    help="Pages that were saved under a name, with notes.",
)
notes = st.Page(
    "app_pages/notes/page.py",
    title="Notes",
    url_path=links.NOTES,
    icon=":material/comment:",
    help="Everything that was noted on points, samples, messages and replies.",
)
agreement = st.Page(
    "app_pages/agreement/page.py",
    title="Agreement",
    url_path=links.AGREEMENT,
    icon=":material/handshake:",
    help="People's verdicts against the judge's, and the rates with them in its place.",
)
report = st.Page(
    "app_pages/report/page.py",
    title="Report",
    url_path=links.REPORT,
    icon=":material/summarize:",
    help="Saved views, notes and transcripts as one file that opens offline.",
)


def landing() -> None:
    """The bare address leads to the overview, or to the page that was wanted before somebody signed in.

    Streamlit gives its default page no name in the address.
    """
    named, address = signing_in.wanted() or (
        links.OVERVIEW,
        {name: st.query_params.get_all(name) for name in st.query_params},
    )
    pages = chain.from_iterable(sections.values())
    fragments.switch_page(next(page for page in pages if page.url_path == named), query_params=address)


home = st.Page(landing, title="Driftline", default=True, visibility="hidden")
sections = {
    "": [home, overview, curves, mixes, persistence, assessment, compare],
    "Samples": [samples, transcript, beside],
    "Models": [probe, judgings],
    "Review": [views, notes, agreement, report],
    "Store": [data, audit],
}
known = signing_in.is_known()
page = st.navigation(sections, position="top" if known else "hidden")
if not known:
    signing_in.door(page.url_path)
    st.stop()
if page == home:
    page.run()
else:
    shell.frame(page)
    shell.run(page)
