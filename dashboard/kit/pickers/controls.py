"""Pickers whose state stands in the address under the names that are picked, and comes back from it.

Streamlit's `bind="query-params"` serves what is on or off. Of what has options it writes titles into the address, which
change, and forgets what an address says in another spelling. So all that has names (runs, evals, the definition in use,
filters, options of switches) is mirrored by hand here: session state is the truth, the address follows, and on arrival
or when the reader goes back or forward the address is read again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NoReturn, TypeVar

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from dashboard import links, numerals, short_addresses
from dashboard.kit import run_colors
from dashboard.kit.page import absent
from dashboard.pages import NAMED

Option = TypeVar("Option", bound=str)

PAGE, SOURCE, ADDRESS, KEPT = "_page", "_source", "_address", "_kept"
DRAWN = "_drawn"
"""What the page has drawn so far: see `dashboard.kit.charts.frame`."""
BACK = "_back"
"""Whether the reader went back or forward: what the address doesn't say is as a page begins."""
AT_END = "_at_end"
"""Called once, when a page has been drawn to its end: a review is collected so."""


def arrive(page: str) -> None:
    """Begin a run of a page: decide whether its state comes from outside the widgets this time.

    It does on the first run of a session, when the reader comes from another page, and on back and forward: then the
    address is read. An address that says nothing (a click in the navigation), or is another page's (Streamlit leaves
    such an entry in the history when it switches pages), brings the page back as it was left.
    """
    context = get_script_run_ctx()
    history = context is not None and context.is_history_navigation
    session = st.session_state
    kept = session.setdefault(KEPT, {})
    if history or session.get(PAGE) != page:
        shown = {name: st.query_params.get_all(name) for name in st.query_params if name != links.AS_OF}
        address = short_addresses.whole(shown)
        own = bool(address) and set(address) <= NAMED[page].parameters
        session[SOURCE] = address if own or page not in kept else kept[page]
        run_colors.read(session[SOURCE].get(run_colors.COLOR, []))
    else:
        session[SOURCE] = None
    session[BACK] = history
    session[PAGE] = page
    session[ADDRESS] = {}
    session[DRAWN] = {}


def leave() -> None:
    """End a run of a page: write its state into the address, and take out what other pages left there."""
    page, written = st.session_state[PAGE], short_addresses.shortened(st.session_state[ADDRESS])
    for name in list(st.query_params):
        if name not in written and name not in links.TOGGLES and name != links.AS_OF:
            del st.query_params[name]
    for name, values in written.items():
        if st.query_params.get_all(name) != values:
            st.query_params[name] = values if len(values) != 1 else values[0]
    st.session_state[KEPT][page] = st.session_state[ADDRESS]
    at_end = st.session_state.pop(AT_END, None)
    if at_end:
        at_end()


def page() -> str:
    """The name of the page that is drawn."""
    return str(st.session_state[PAGE])


def stop() -> NoReturn:
    """End the page early, its address in order."""
    leave()
    st.stop()


def state() -> links.Parameters:
    """The state of the page so far, as it will stand in the address."""
    return dict(st.session_state[ADDRESS])


def whole_address() -> links.Parameters:
    """The state of the page so far, with the toggles that Streamlit itself keeps in the address."""
    bound = {name: st.query_params.get_all(name) for name in st.query_params if name in links.TOGGLES}
    return {**state(), **bound}


def pinned() -> links.Parameters:
    """What pins the page's address to an import; nothing where it is not pinned. Links from the page keep it."""
    return {links.AS_OF: st.query_params.get_all(links.AS_OF)} if links.AS_OF in st.query_params else {}


def remember(name: str, value: object) -> None:
    """Let a value stand in the page's address; None takes it out."""
    st.session_state[ADDRESS].update(links.parameters(**{name: value}))


def source() -> links.Parameters | None:
    """Where the page's state comes from on this run: an address; None where from its widgets."""
    found: links.Parameters | None = st.session_state[SOURCE]
    return found


def restored(name: str) -> list[str] | None:
    """What the address says of `name`, on the runs on which it counts; None where it says nothing."""
    address = source()
    if address is None or name not in address:
        return None
    return [value for value in address[name] if value != ""]


def replace_restored(name: str, values: list[str]) -> None:
    """Read `values` as what the address says of `name`: for names that stand for one option together."""
    st.session_state[SOURCE] = {**st.session_state[SOURCE], name: values}


def named(name: str) -> list[str]:
    """What the page's state says of `name` before its widget is drawn: from the address, or as it was."""
    values = restored(name)
    if values is None and st.session_state[SOURCE] is None:
        kept = st.session_state.get(_key(name)) or []
        values = kept if isinstance(kept, list) else [kept]
    return values or []


def noticed(name: str, values: list[str]) -> list[str] | None:
    """What the page saw of something on its last run, and see it now; None where its state comes from an address.

    A page whose choices depend on each other tells by it what has changed.
    """
    key = f"{_key(name)}_noticed"
    before: list[str] | None = st.session_state.get(key) if source() is None else None
    st.session_state[key] = values
    return before


def put(name: str, value: str | list[str]) -> None:
    """Let the picker of `name`, not drawn yet, show something else than what was picked."""
    st.session_state[_key(name)] = value


def begin_anew(names: Collection[str]) -> None:
    """Let pickers of this page, not drawn yet, show what a page begins with."""
    for name in names:
        for key in (_key(name), f"{_key(name)}_0", f"{_key(name)}_1"):
            st.session_state.pop(key, None)


def begin(name: str, options: Sequence[str], default: Sequence[str], most: int | None = None) -> list[str]:
    """What is picked of many options before they are drawn: as the address says, or as it was; else the default.

    A name that the store doesn't have stays picked, and matches nothing: the address is obeyed, not corrected.

    Args:
        name: Of the query parameter.
        options: Their names.
        default: Picked where the address says nothing.
        most: How many may be picked.
    """
    key, values = _key(name), restored(name)
    if values is not None:
        st.session_state[key] = list(dict.fromkeys(values))[:most]
    elif st.session_state[SOURCE] is not None or key not in st.session_state:
        st.session_state[key] = list(default)
    picked: list[str] = st.session_state[key]
    there = set(options)
    absent.tell(name, [value for value in picked if value not in there], options)
    return picked


def pick_many(
    label: str,
    name: str,
    options: Sequence[str],
    *,
    default: Sequence[str],
    titles: Mapping[str, str] | None = None,
    placeholder: str | None = None,
    most: int | None = None,
) -> list[str]:
    """Pick any number of options; none picked means none, never all, and stands in the address as such.

    Args:
        label: Of the widget.
        name: Of the query parameter.
        options: Their names.
        default: Picked where the address says nothing.
        titles: Shown instead of names.
        placeholder: Shown while nothing is picked.
        most: How many may be picked.
    """
    picked = _multiselect(label, name, options, list(default), titles, placeholder, most)
    remember(name, picked)
    return picked


def pick_any(
    label: str,
    name: str,
    options: Sequence[str],
    *,
    titles: Mapping[str, str] | None = None,
    placeholder: str = "Any",
    most: int | None = None,
    help: str | None = None,
) -> list[str]:
    """Pick options to filter or split by; none picked does nothing, and is left out of the address.

    Args:
        label: Of the widget.
        name: Of the query parameter.
        options: Their names.
        titles: Shown instead of names.
        placeholder: Shown while nothing is picked.
        most: How many may be picked.
        help: Tooltip.
    """
    picked = _multiselect(label, name, options, [], titles, placeholder, most, help)
    remember(name, picked or None)
    return picked


def findable(titles: Mapping[str, str]) -> dict[str, str]:
    """Titles followed by the keys that tables, files and addresses have, so that a picker finds a thing by either."""
    return {key: title if title.casefold() == key.casefold() else f"{title} · {key}" for key, title in titles.items()}


def _multiselect(
    label: str,
    name: str,
    options: Sequence[str],
    default: list[str],
    titles: Mapping[str, str] | None,
    placeholder: str | None,
    most: int | None = None,
    help: str | None = None,
) -> list[str]:
    picked = begin(name, options, default, most)
    there = set(options)
    gone = [value for value in picked if value not in there]
    shown = _distinct(options, titles) | {value: f"{value} (not here)" for value in gone}
    return st.multiselect(
        label,
        [*options, *gone],
        key=_key(name),
        format_func=lambda option: shown[option],
        placeholder=placeholder,
        max_selections=most,
        help=help,
    )


def pick_one(
    label: str,
    name: str,
    options: Sequence[str],
    *,
    default: str,
    titles: Mapping[str, str] | None = None,
    help: str | None = None,
    leave_out: str | None = None,
) -> str:
    """Pick one option.

    Args:
        label: Of the widget.
        name: Of the query parameter.
        options: Their names.
        default: Picked where the address says nothing, or what is not among the options.
        titles: Shown instead of names.
        help: Tooltip.
        leave_out: Not written into the address: for what is no choice.
    """
    key = _key(name)
    values = restored(name)
    if values is not None:
        st.session_state[key] = values[0] if values else default
    elif st.session_state[SOURCE] is not None:
        st.session_state[key] = default
    if st.session_state.get(key) not in options:
        if values:
            absent.tell(name, values[:1], options)
        st.session_state[key] = default
    shown = _distinct(options, titles)
    picked = st.selectbox(label, options, key=key, format_func=lambda option: shown[option], help=help)
    remember(name, None if picked == leave_out else picked)
    return picked


def pick_pair(
    labels: tuple[str, str],
    name: str,
    options: Sequence[str],
    *,
    default: Sequence[str],
    titles: Mapping[str, str] | None = None,
) -> tuple[str, str]:
    """Pick two options in order, each with a widget of its own; both stand in the address under one name.

    Args:
        labels: Of the widgets.
        name: Of the query parameter; it may be that of a picker of many, whose first two are taken over.
        options: Their names, at least one.
        default: Taken where the address names fewer than two.
        titles: Shown instead of names.
    """
    told = [value for value in dict.fromkeys([*named(name), *default, *options]) if value in options]
    first = [told[0], told[min(1, len(told) - 1)]]
    shown = _distinct(options, titles)
    picked = []
    for at, (label, value) in enumerate(zip(labels, first, strict=True)):
        key = f"{_key(name)}_{at}"
        if st.session_state[SOURCE] is not None or st.session_state.get(key) not in options:
            st.session_state[key] = value
        picked.append(st.selectbox(label, options, key=key, format_func=lambda option: shown[option]))
    st.session_state[_key(name)] = picked
    remember(name, picked)
    return picked[0], picked[1]


def write(label: str, name: str, *, placeholder: str | None = None, help: str | None = None) -> str:
    """Write a text to filter by; an empty one is left out of the address."""
    key = _key(name)
    values = restored(name)
    if values is not None or st.session_state[SOURCE] is not None:
        st.session_state[key] = values[0] if values else ""
    text = st.text_input(label, key=key, placeholder=placeholder, help=help).strip()
    remember(name, text or None)
    return text


def switch(
    label: str,
    name: str,
    options: Mapping[Option, str] | Sequence[Option],
    *,
    default: Option | None = None,
    help: str | None = None,
    collapsed: bool = False,
) -> Option:
    """Switch between a few options; the name of the one in use stands in the address, the default is left out.

    Pages share the names of switches in addresses, and one page's options are not another's: the default stands in
    for them. An address that names an option by its title, or as it was spelled earlier, is read too.

    Args:
        label: Of the widget.
        name: Of the query parameter, one of `links.BOUND`.
        options: Names with their titles, or names whose titles are themselves in sentence case.
        default: Begun with; the first where nothing is said.
        help: Tooltip.
        collapsed: Whether the label is for screen readers alone.
    """
    titles = dict(options) if isinstance(options, Mapping) else {option: _sentence_case(option) for option in options}
    first = next(iter(titles)) if default is None else default
    told, meant = restored(name), st.session_state.pop(f"_put_{name}", None)
    if meant is None and told:
        meant = links.read_option(name, told[0], titles) or first
    # Where the reader came by the menu, nothing is said, and a switch of the page before stays as it was.
    if meant is None and (source() or st.session_state[BACK] or st.session_state.get(name) not in titles):
        meant = first
    if meant is not None:
        st.session_state[name] = meant
    picked: Option | None = st.segmented_control(
        label, list(titles), key=name, required=True, format_func=lambda option: titles.get(option, str(option)),
        help=help, label_visibility="collapsed" if collapsed else "visible",
    )  # fmt: skip
    picked = first if picked is None else picked
    remember(name, None if picked == first else picked)
    return picked


def put_switch(name: str, option: str) -> None:
    """Let the switch of `name`, not drawn yet, stand at another option."""
    st.session_state[name] = st.session_state[f"_put_{name}"] = option


def _sentence_case(name: str) -> str:
    return name[:1].upper() + name[1:]


def number(
    label: str,
    name: str,
    *,
    default: float,
    least: float,
    most: float | None = None,
    step: float = 1.0,
    begin: float | None = None,
    changed: Callable[[float], None] | None = None,
    help: str | None = None,
) -> float:
    """Write a number; the default is left out of the address, and what is no number in range counts as the default.

    Args:
        label: Of the widget.
        name: Of the query parameter.
        default: Left out of the address.
        least: The smallest that is allowed.
        most: The largest; None for any.
        step: Of the widget's buttons.
        begin: Begun with where the address says nothing; None for the default.
        changed: Told when the reader writes another number.
        help: Tooltip.
    """
    key = _key(name)
    values = restored(name)
    if values is not None or st.session_state[SOURCE] is not None or key not in st.session_state:
        first = default if begin is None else begin
        st.session_state[key] = _number_of(values, first, least, most)

    def tell() -> None:
        if changed is not None:
            changed(float(st.session_state[key]))

    value = float(
        st.number_input(
            label, key=key, min_value=least, max_value=most, step=step, format=numerals.COLUMN_FIGURES, help=help,
            on_change=tell,
        )
    )  # fmt: skip
    remember(name, None if value == default else f"{value:g}")
    return value


def _number_of(values: list[str] | None, default: float, least: float, most: float | None) -> float:
    try:
        value = float(values[0]) if values else default
    except ValueError:
        return default
    return value if least <= value <= (most if most is not None else value) and math.isfinite(value) else default


def _key(name: str) -> str:
    return f"{st.session_state[PAGE]}_{name}"


def _distinct(options: Sequence[str], titles: Mapping[str, str] | None) -> dict[str, str]:
    """Titles, with the name behind those that several options share: a widget tells options apart by what it shows."""
    shown = {option: (titles or {}).get(option) or option for option in options}
    counts: dict[str, int] = {}
    for title in shown.values():
        counts[title] = counts.get(title, 0) + 1
    return {option: title if counts[title] == 1 else f"{title} ({option})" for option, title in shown.items()}
