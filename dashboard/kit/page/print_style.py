"""How pages are printed: dark ink on white paper whatever the screen shows, no navigation, no picture cut in two.

Streamlit itself unfolds a page to its full height for print, and keeps its colours. Charts are drawn once, in the inks
of the screen: their inks are exchanged by the attributes that hold them, the colours of data stay.
"""

from __future__ import annotations

from dashboard.charts.palette import INKS, Scheme

HIDDEN = (
    "stSidebar", "stSidebarCollapsedControl", "stExpandSidebarButton", "stHeader", "stToolbar", "stElementToolbar",
    "stStatusWidget", "stButton", "stDownloadButton", "stPageLink", "stPopover",
)  # fmt: skip
"""Parts of Streamlit, by test id, that mean nothing on paper."""

PAPER, INK = INKS["light"].paper, INKS["light"].text

ALWAYS = f"""
{", ".join(f'[data-testid="{name}"]' for name in HIDDEN)} {{ display: none !important; }}
html, body, .stApp, [data-testid="stAppViewContainer"], [data-testid="stMain"] {{ background: {PAPER} !important; }}
[data-testid="stVegaLiteChart"], [data-testid="stVegaLiteChart"] svg, .dl-notice, .dl-message, .dl-list li, .dl-facts tr
  {{ break-inside: avoid; }}
[data-testid="stHeading"], .dl-head {{ break-after: avoid; }}
[data-testid="stVegaLiteChart"] .vega-embed {{ width: 100% !important; }}
[data-testid="stVegaLiteChart"] svg {{ max-width: 100% !important; height: auto !important; }}
"""


def print_style(scheme: Scheme) -> str:
    """Rules for print of a page that is shown light or dark, as an HTML style element.

    Args:
        scheme: What the screen shows.
    """
    return f"<style>@media print {{{ALWAYS}{_dark() if scheme == 'dark' else ''}}}</style>"


def _dark() -> str:
    light, dark = INKS["light"], INKS["dark"]
    rules = [
        f".stApp :not(svg, svg *, mark) {{ color: {INK} !important; }}",
        ".stApp :is(div, section, details, summary, button, input, label, p, span, a, pre, code)"
        " { background-color: transparent !important; border-color: #B9BEC8 !important; }",
        ".stApp div.dl-notice { border-left-color: #E69F00 !important; }",
        f'.stApp [data-testid$="Active"] {{ border-color: {INK} !important; font-weight: 700; }}',
        f'svg[class~="marks"] {{ background: {PAPER} !important; }}',
        # A table is a picture in the colours of the screen.
        '[data-testid="stDataFrame"] canvas { filter: invert(1) hue-rotate(180deg); }',
        f'svg[class~="marks"] :is({", ".join(WORDS)}) text {{ fill: {INK} !important; }}',
        f'svg[class~="marks"] .role-axis-grid line {{ stroke: {light.faint} !important; }}',
        f'svg[class~="marks"] :is(.role-axis-domain, .role-axis-tick) line {{ stroke: {light.muted} !important; }}',
    ]
    for name in ("text", "muted", "faint", "alert"):
        of, to = getattr(dark, name), getattr(light, name)
        rules.append(f'svg[class~="marks"] [fill="{of}" i] {{ fill: {to} !important; }}')
        rules.append(f'svg[class~="marks"] [stroke="{of}" i] {{ stroke: {to} !important; }}')
    # Hollow marks are filled with paper; words in the paper's colour stand on a mark, and stay as they are.
    rules.append(f'svg[class~="marks"] path[fill="{dark.paper}" i] {{ fill: {PAPER} !important; }}')
    return "\n".join(rules)


WORDS = (
    ".role-axis-label", ".role-axis-title", ".role-legend-label", ".role-legend-title", ".role-title",
    ".role-title-text", ".role-title-subtitle", ".role-header",
)  # fmt: skip
"""Classes of the groups in which Vega keeps the words around a plot."""
