"""What stands before every page where people sign in: nothing of the study is asked for until a reader is known."""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from contextlib import suppress
from itertools import cycle
from urllib.parse import urlsplit

import streamlit as st

from dashboard import links, runtime
from dashboard.access import Reader
from dashboard.access.sign_in import address_to_open
from dashboard.kit.page.reader import Outside, claimed, reader, sign_in_of, standing
from dashboard.kit.text.plain import STYLE, escaped
from dashboard.pages import NAMED
from dashboard.review import audit
from dashboard.server_settings import auth_section

NOTED = "_sign_in_noted"
XSRF_COOKIE = "_streamlit_xsrf"
REMEMBERED_S, MOST_REMEMBERED = 900.0, 1000

WHY: dict[Outside, tuple[str, str]] = {
    "signed_out": ("Sign in", "A dashboard of Driftline. What you see depends on your role."),
    "expired": ("Sign in again", "Your last sign-in here has ended."),
    "stranger": (
        "No access",
        "You are signed in, and no role of this dashboard is yours. Ask whoever runs it to name your e-mail address or"
        " one of your groups in its access file. An address that your provider has not verified counts as none.",
    ),
}

_wanted: OrderedDict[str, tuple[float, str, links.Parameters]] = OrderedDict()
"""By browser: the page that somebody wanted who had to sign in first. Providers send everybody back to the start."""


def is_known() -> bool:
    """Whether whoever looks may see pages."""
    found = standing()
    if isinstance(found, Reader):
        _note_sign_in(found)
    return isinstance(found, Reader)


def is_admin() -> bool:
    """Whether whoever looks may read the audit log."""
    found = standing()
    return isinstance(found, Reader) and found.may("admin")


def door(page: str) -> None:
    """Say why somebody may see nothing, and how to sign in.

    Args:
        page: The page that the address names, by its name in addresses.
    """
    found = standing()
    if isinstance(found, Reader):
        return
    title, text = WHY[found]
    st.html(STYLE)
    st.subheader(title, anchor=False)
    st.html(f'<div class="dl-note">{text}</div>')
    if found == "stranger":
        claims = claimed() or {}
        st.html(f'<div class="dl-note">Signed in as {escaped(claims.get("email") or claims.get("sub") or "?")}.</div>')
        st.button("Sign out", icon=":material/logout:", on_click=sign_out)
    else:
        st.button("Sign in", icon=":material/login:", type="primary", on_click=_sign_in, args=(page,))
        _say_where()


def account() -> None:
    """Who is signed in, with which role, and the way out; nothing where nobody signs in."""
    found = reader()
    if found.signed_in:
        st.html(f'<span class="dl-note">{escaped(found.name)} · {found.role}</span>', width="content")
        st.button("Sign out", icon=":material/logout:", type="tertiary", key="sign_out", on_click=sign_out)


def sign_out() -> None:
    """End this sign-in, here and in every page that is open by it."""
    claims = claimed()
    if claims is not None:
        runtime.end(sign_in_of(claims))
    st.logout()


def wanted() -> tuple[str, links.Parameters] | None:
    """The page that this browser wanted before somebody signed in with it, told once."""
    browser = _browser()
    at, page, address = _wanted.pop(browser, (0.0, "", {})) if browser else (0.0, "", {})
    return (page, address) if page and time.monotonic() - at < REMEMBERED_S else None


def _sign_in(page: str) -> None:
    browser = _browser()
    if browser and page in NAMED:
        address = {name: st.query_params.get_all(name) for name in st.query_params}
        _wanted[browser] = (time.monotonic(), page, address)
        while len(_wanted) > MOST_REMEMBERED:
            _wanted.popitem(last=False)
    st.login()


def _browser() -> str | None:
    """What tells this browser from others: the token behind its XSRF cookie, whose mask changes. None without one."""
    cookie = st.context.cookies.get(XSRF_COOKIE, "").strip('"').split("|")
    with suppress(ValueError):
        _version, mask, token, _at = cookie
        masked = zip(bytes.fromhex(token), cycle(bytes.fromhex(mask)), strict=False)
        plain = bytes(byte ^ by for byte, by in masked)
        return hashlib.sha256(plain).hexdigest() if plain else None
    return None


def _note_sign_in(found: Reader) -> None:
    """Write a sign-in down once, however many pages are opened by it."""
    claims = claimed()
    if not found.signed_in or claims is None or st.session_state.get(NOTED) == sign_in_of(claims):
        return
    st.session_state[NOTED] = sign_in_of(claims)
    if runtime.is_new(sign_in_of(claims)):
        audit.record(runtime.store(), found.name, "sign_in", f"as {found.role}")


def _say_where() -> None:
    """Say so where signing in can't work: the provider sends people to one address, and only there it counts."""
    url = address_to_open(str(auth_section().get("redirect_uri", "")), int(st.get_option("server.port")))
    right, here = urlsplit(url), urlsplit(st.context.url or "")
    if right.netloc and here.netloc and (here.scheme, here.netloc) != (right.scheme, right.netloc):
        st.html(f'<div class="dl-notice" role="alert">Signing in works at {escaped(url)}: open that address.</div>')
