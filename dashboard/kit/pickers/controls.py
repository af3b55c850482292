"""Pickers whose state stands in the address under the names that are picked, and comes back from it.

Streamlit's `bind="query-params"` serves switches whose options are their own names. It leaves defaults out of the
address and writes titles into it, so what must be named in every link (runs, evals, the definition in use, filters)
is mirrored by hand here: session state is the truth, the address follows, and on arrival or when the reader goes
back or forward the address is read again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NoReturn

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from dashboard import links, numerals
from dashboard.kit.page import absent
from dashboard.pages import NAMED

PAGE, SOURCE, ADDRESS, KEPT = "_page", "_source", "_address", "_kept"
DRAWN = "_drawn"
"""What the page has drawn so far: see `dashboard.kit.charts.frame`."""
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
        address = {name: st.query_params.get_all(name) for name in st.query_params if name != links.AS_OF}
        own = bool(address) and set(address) <= NAMED[page].parameters
        session[SOURCE] = address if own or page not in kept else kept[page]
    else:
        session[SOURCE] = None
    session[PAGE] = page
    session[ADDRESS] = {}
    session[DRAWN] = {}


def leave() -> None:
    """End a run of a page: write its state into the address, and take out what other pages left there."""
    page, written = st.session_state[PAGE], st.session_state[ADDRESS]
    for name in list(st.query_params):
        if name not in written and name not in links.BOUND and name != links.AS_OF:
            del st.query_params[name]
    for name, values in written.items():
        if st.query_params.get_all(name) != values:
            st.query_params[name] = values if len(values) != 1 else values[0]
    st.session_state[KEPT][page] = written
    at_end = st.session_state.pop(AT_END, None)
    if at_end:
        at_end()


def stop() -> NoReturn:
    """End the page early, its address in order."""
    leave()
    st.stop()


def state() -> links.Parameters:
    """The state of the page so far, as it will stand in the address."""
    return dict(st.session_state[ADDRESS])


def whole_address() -> links.Parameters:
    """The state of the page so far, with the switches that Streamlit itself keeps in the address."""
    bound = {name: st.query_params.get_all(name) for name in st.query_params if name in links.BOUND}
    return {**state(), **bound}


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
    key = _key(name)
    there = set(options)
    values = restored(name)
    if values is not None:
        st.session_state[key] = list(dict.fromkeys(values))[:most]
    elif st.session_state[SOURCE] is not None or key not in st.session_state:
        st.session_state[key] = default
    # A name that the store doesn't have stays picked, and matches nothing: the address is obeyed, not corrected.
    gone = [value for value in st.session_state[key] if value not in there]
    absent.tell(name, gone, options)
    shown = _distinct(options, titles) | {value: f"{value} (not here)" for value in gone}
    return st.multiselect(
        label,
        [*options, *gone],
        key=key,
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


def pick_view(views: Sequence[str]) -> str:
    """Pick what of a page is looked at, its first view where the address names none of them.

    Pages share the name of this switch in addresses, and one page's views are not another's.
    """
    elsewhere = st.session_state.get("view", views[0]) not in views
    if elsewhere:
        st.session_state["view"] = views[0]
    picked = st.segmented_control(
        "View", views, default=None if elsewhere else views[0], key="view", bind="query-params", required=True,
        label_visibility="collapsed",
    )  # fmt: skip
    return str(picked)


def number(
    label: str, name: str, *, default: float, least: float, most: float | None = None, step: float = 1.0
) -> float:
    """Write a number; the default is left out of the address, and what is no number in range counts as the default.

    Args:
        label: Of the widget.
        name: Of the query parameter.
        default: Begun with.
        least: The smallest that is allowed.
        most: The largest; None for any.
        step: Of the widget's buttons.
    """
    key = _key(name)
    values = restored(name)
    if values is not None or st.session_state[SOURCE] is not None or key not in st.session_state:
        st.session_state[key] = _number_of(values, default, least, most)
    value = float(
        st.number_input(label, key=key, min_value=least, max_value=most, step=step, format=numerals.COLUMN_FIGURES)
    )
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
