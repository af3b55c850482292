"""News without a timer that draws: the browser asks a route that costs next to nothing, and tells of news alone."""

from __future__ import annotations

import streamlit as st

from dashboard import news
from dashboard.kit.page.reader import claimed, sign_in_of

OWN = "_news_ticket"

SCRIPT = """
const ASK_MS = 2000, AGAIN_MS = 10000;
const parts = new Map();
let timer = 0, asking = false;

// Told again only where nothing came of it: a part that has been drawn since knows what it was told.
const tell = (part, known, now) => {
  const since = performance.now();
  if (now === known || (now === part.told && since - part.at < AGAIN_MS)) return;
  part.told = now;
  part.at = since;
  part.trigger("news", now);
};

// Streamlit turns its own colors, and runs nothing: charts would keep letters that nobody can read any more.
const look = () => {
  const app = document.querySelector('[data-testid="stApp"]');
  const scheme = app && getComputedStyle(app).colorScheme;
  for (const part of parts.values()) if (scheme && part.scheme) tell(part, part.scheme, scheme);
};

// What nobody looks at can wait until somebody does.
const ask = async () => {
  if (asking || document.hidden || !parts.size) return;
  look();
  asking = true;
  try {
    const { place, ticket } = [...parts.values()][0];
    const of = [...new Set([...parts.values()].map(part => `of=${part.of}`))].join("&");
    const reply = await fetch(`${place}?${of}`, { headers: { [ticket.name]: ticket.code }, cache: "no-store" });
    const answer = reply.ok ? await reply.json() : null;
    if (!reply.ok && reply.status !== 403) return;
    for (const part of parts.values()) tell(part, part.known, answer === null ? "" : String(answer[part.of]));
  } catch { /* The server is away: Streamlit says so itself. */ }
  finally { asking = false; }
};
document.addEventListener("visibilitychange", ask);

export default function ({ data, setTriggerValue }) {
  const part = { ...parts.get(data.part), ...data, trigger: setTriggerValue };
  parts.set(data.part, part);
  timer ||= setInterval(ask, ASK_MS);
  return () => {
    if (parts.get(data.part) !== part) return;
    parts.delete(data.part);
    if (!parts.size) timer = clearInterval(timer) || 0;
  };
}
"""

_component = st.components.v2.component("driftline_news", js=SCRIPT)


def listen(part: str, of: news.Kind, known: int, scheme: str = "") -> None:
    """Have the part of the page that calls this drawn anew as soon as there is news, or the reader's sign-in ends.

    Args:
        part: Tells the parts of a page apart.
        of: What counts as news.
        known: Its number as this part knows it.
        scheme: Light or dark, as the page was drawn: that it turned is news, too. Of one part of a page.
    """
    claims = claimed()
    own = st.session_state.get(OWN)
    sign_in = None if claims is None else sign_in_of(claims)
    if not isinstance(own, news.Ticket) or own.sign_in != sign_in:
        own = st.session_state[OWN] = news.ticket(sign_in, claims)
    base = str(st.get_option("server.baseUrlPath")).strip("/")
    data = {
        "part": part,
        "of": of,
        "known": str(known),
        "scheme": scheme,
        "place": f"/{base}/{news.PLACE}" if base else f"/{news.PLACE}",
        "ticket": {"name": news.TICKET, "code": own.code},
    }
    _component(key=f"news_{part}", data=data, on_news_change=lambda: None, height=1, width=1)
