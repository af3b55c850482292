"""Who reads this page, a look into the store that finds only what they may see, and doing what they may."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

import duckdb
import streamlit as st

from dashboard import runtime
from dashboard.access import NotAllowed, Reader, Role
from dashboard.kit.page.fragments import sure
from dashboard.kit.page.remembered import remember_name, remembered_name
from dashboard.kit.text.plain import escaped
from loaders.errors import DriftlineError

NAME, NOBODY_NAMED = "_reader_name", "anonymous"
FIELDS = "_reader_name_fields"
"""How often the field of each place on the pages was made anew."""
LONGEST_NAME = 80

Outside = Literal["signed_out", "expired", "stranger"]
"""Why somebody may see nothing: nobody has signed in here, too long ago, or as somebody whom no role names."""

ALLOWED: dict[Role, str] = {
    "viewer": "Viewers can read, share and export.",
    "prober": "Prompting models and re-scoring takes the role prober or editor.",
    "editor": "Writing notes, human labels and saved views takes the role editor.",
    "admin": "The audit log takes the role admin.",
}
"""What is said where a control is missing, by the role that it takes."""

NOTICE = "probe_notice"


def standing() -> Reader | Outside:
    """Who reads, or why nobody may. Where nobody signs in, everybody is who they say, and may do everything."""
    policy = runtime.access()
    if policy is None:
        return Reader(_given_name() or NOBODY_NAMED, "admin")
    claims = claimed()
    if claims is None:
        return "signed_out"
    if policy.has_expired(claims, time.time()) or runtime.has_ended(sign_in_of(claims)):
        return "expired"
    return policy.reader(claims) or "stranger"


def reader() -> Reader:
    """Who reads.

    Raises:
        NotAllowed: Nobody who may see anything: what stands before every page lets none of these through, and a page
            that is open meanwhile shows nothing more.
    """
    found = standing()
    if not isinstance(found, Reader):
        raise NotAllowed("You are not signed in any more. Reload the page.")
    return found


def require(role: Role) -> Reader:
    """The reader, who may do what a role may. Every write asks for it where it is done, whatever controls were shown.

    Raises:
        NotAllowed: The reader may not.
    """
    found = reader()
    if not found.may(role):
        raise NotAllowed(f"{ALLOWED[role]} You are signed in as {found.role}.")
    return found


def claimed() -> dict[str, Any] | None:
    """What the identity provider says of whoever reads; None where nobody has signed in."""
    claims = st.user.to_dict()
    return claims if claims.get("is_logged_in") is True else None


def sign_in_of(claims: dict[str, Any]) -> str:
    """One sign-in: of whom, and when."""
    return f"{claims.get('sub')} {claims.get('iat')}"


@contextmanager
def cursor() -> Iterator[duckdb.DuckDBPyConnection]:
    """A cursor that finds nothing of the runs that the reader may not see. Pages read by no other."""
    with runtime.store().cursor(hidden=reader().hidden) as found:
        yield found


def name_field(place: str) -> None:
    """Ask for the reader's name, where nobody signs in.

    Args:
        place: Tells the fields of one page apart. All of them show the same name.
    """
    if reader().signed_in:
        return
    number = st.session_state.setdefault(FIELDS, {}).setdefault(place, 0)
    key = _field(place, number)
    st.session_state.setdefault(key, _given_name())
    # In a place of its own: what comes to stand in it once a name was given must not move what follows, which the
    # browser would build anew under the hands of whoever writes there.
    with st.container(gap=None):
        st.text_input(
            "Your name",
            key=key,
            placeholder=NOBODY_NAMED,
            max_chars=LONGEST_NAME,
            on_change=sure(_take_name),
            args=(place, number),
        )
        if NAME in st.session_state:
            remember_name(_given_name(), place)


def _given_name() -> str:
    """What the reader was called last: in this session, else in this browser."""
    if NAME in st.session_state:
        return str(st.session_state[NAME]).strip()
    return remembered_name()[:LONGEST_NAME]


def _field(place: str, number: int) -> str:
    return f"{NAME}_{place}_{number}"


def _take_name(place: str, number: int) -> None:
    """Take what a reader wrote into a field; the others are made anew with it.

    Were they only told the name, a browser that hasn't heard of it yet would seem to have emptied them.
    """
    numbers = st.session_state[FIELDS]
    if numbers[place] != number:
        return
    st.session_state[NAME] = st.session_state[_field(place, number)].strip()
    for other in numbers:
        numbers[other] += other != place


def attempt(
    act: Callable[[], Any], role: Role = "prober", where: str = NOTICE, emptied: Mapping[str, Any] | None = None
) -> None:
    """Do something for a reader who may, and keep the reason for the page where it can't be done.

    Args:
        act: What is done.
        role: That the reader must have, whatever controls the page showed.
        where: The place on the page that will tell.
        emptied: Fields by key, with what each is set to once it is done: what can't be saved stays in its form.
    """
    try:
        require(role)
        act()
    except DriftlineError as error:
        st.session_state[where] = str(error)
    else:
        st.session_state.update(emptied or {})


def notice(where: str = NOTICE) -> None:
    """Say, once, why something could not be done, in a place of its own, so that it moves nothing that follows."""
    told = st.session_state.pop(where, None)
    with st.container():
        if told:
            st.html(f'<div class="dl-notice" role="alert">{escaped(told)}</div>')
