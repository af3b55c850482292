// One entry of the browser's history per action of the reader, and where each entry was scrolled to.
//
// Streamlit pushes an entry whenever a script writes the address, and none when a bound switch does. Pages write
// theirs when they are drawn: what they begin with, and what follows from a choice. Here an address that comes after
// an action of the reader is an entry of its own, and one that comes by itself replaces the one that it belongs to.
(() => {
  const push = history.pushState.bind(history);
  const replace = history.replaceState.bind(history);
  const ACTIONS = ["pointerdown", "keydown"];
  const RESTORED_MS = 30000, STEADY_MS = 1500, LOOK_MS = 100, SCROLLED_MS = 150;

  let touched = false; // by the reader, since the last entry
  let acted = false; // the same, once what the entry leads to had been drawn
  let drawn = false;
  let scrolled = 0, restoring = 0, waiting = 0;
  let leaving = false; // by a link: Streamlit scrolls to the top before it leaves

  const main = () => document.querySelector('[data-testid="stMain"]');
  const running = () => document.querySelector('[data-testid="stApp"]')?.dataset.testScriptState !== "notRunning";

  const keepScroll = () => {
    clearTimeout(scrolled);
    if (!restoring && !leaving && main()) replace({ ...history.state, top: main().scrollTop }, "");
  };

  // A page is there once it was drawn, and the code of all of its parts has come.
  const there = () => {
    clearTimeout(waiting);
    if (!drawn) return;
    if (document.querySelector('[data-testid="stMain"] [data-testid="stSkeleton"]')) waiting = setTimeout(there, LOOK_MS);
    else document.documentElement.dataset.dlDrawn = "";
  };

  const begin = () => {
    touched = acted = drawn = leaving = false;
    delete document.documentElement.dataset.dlDrawn;
    clearTimeout(scrolled);
  };

  const go = (state, title, url) => {
    const to = new URL(url ?? location.href, location.href);
    const leaves = to.pathname !== location.pathname;
    if (to.href !== location.href && (leaves ? touched : acted)) {
      keepScroll();
      push(state, title, url);
      touched = acted = false;
      if (leaves) {
        begin();
        document.getElementById("dl-sidebar")?.remove();
      }
    } else {
      replace({ ...state, top: history.state?.top }, title, url);
    }
  };
  history.pushState = go;
  history.replaceState = go;

  // What is above the place may come late, and push it down: it is looked for until it stays, or the reader scrolls.
  const rest = () => {
    clearInterval(restoring);
    restoring = 0;
    leaving = false;
  };
  const restore = () => {
    rest();
    const top = history.state?.top;
    if (!top) return;
    const since = performance.now();
    let steady = 0;
    restoring = setInterval(() => {
      const now = performance.now();
      if (main() && Math.abs(main().scrollTop - top) > 1) {
        main().scrollTop = top;
        steady = 0;
      } else if (main() && !running()) {
        steady ||= now;
      }
      if (now - since > RESTORED_MS || (steady && now - steady > STEADY_MS)) rest();
    }, LOOK_MS);
  };

  for (const name of ACTIONS) {
    addEventListener(name, () => { touched = true; acted = drawn; }, true);
  }
  for (const name of [...ACTIONS, "wheel", "touchmove"]) {
    addEventListener(name, rest, { capture: true, passive: true });
  }
  addEventListener("click", (event) => {
    if (!event.target.closest?.("a[href]")) return;
    keepScroll();
    leaving = true;
  }, true);
  addEventListener("popstate", () => {
    document.getElementById("dl-sidebar")?.remove();
    begin();
    restore();
  }, true);
  addEventListener("scroll", (event) => {
    if (event.target !== main()) return;
    clearTimeout(scrolled);
    scrolled = setTimeout(keepScroll, SCROLLED_MS);
  }, { capture: true, passive: true });

  // A run that ends has drawn what the address leads to; runs of parts of a page come after it.
  let ran = false;
  new MutationObserver(() => {
    if (ran && !running()) {
      drawn = true;
      there();
    }
    ran = running();
  }).observe(document, { subtree: true, attributes: true, attributeFilter: ["data-test-script-state"] });
  history.scrollRestoration = "manual";
  restore();
})();
