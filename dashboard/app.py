"""The dashboard's pages: configuration and navigation, nothing else."""

from pathlib import Path
from urllib.parse import urljoin

import streamlit as st

from dashboard import links, pages
from dashboard.docs.serving import PLACE as DOCUMENTATION
from dashboard.kit.page import fragments, shell, signing_in, titles

st.set_page_config(
    page_title=titles.last(),
    page_icon=Path(__file__).with_name("icon.svg"),
    layout="wide",
    menu_items={"Get help": urljoin(st.context.url, DOCUMENTATION) if st.context.url else None},
)

registered = {
    page.name: st.Page(
        page.file,
        title=page.title,
        url_path=page.name,
        icon=f":material/{page.icon}:",
        help=page.help,
        visibility="hidden" if page.for_admins and not signing_in.is_admin() else "visible",
    )
    for page in pages.PAGES
}


def landing() -> None:
    """The bare address leads to the overview, or to the page that was wanted before somebody signed in.

    Streamlit gives its default page no name in the address.
    """
    named, address = signing_in.wanted() or (
        links.OVERVIEW,
        {name: st.query_params.get_all(name) for name in st.query_params},
    )
    fragments.switch_page(registered[named], query_params=address)


home = st.Page(landing, title="Driftline", default=True, visibility="hidden")
sections = {"": [home]}
for each in pages.PAGES:
    sections.setdefault(each.section, []).append(registered[each.name])
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
