// Light or dark, the search, and copying of code. Pages are whole without it. No request leaves the site.
"use strict";
(() => {
  const root = document.documentElement;
  const schemes = ["auto", "light", "dark"];
  const stored = () => {
    try { return localStorage.getItem("driftline-docs-scheme") || "auto"; } catch { return "auto"; }
  };
  const use = (scheme) => {
    if (scheme === "auto") delete root.dataset.scheme;
    else root.dataset.scheme = scheme;
  };
  let scheme = stored();
  use(scheme); // before anything is painted

  const element = (name, properties, ...children) => {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  };

  // The index is loaded when somebody first searches: as a script, which also works for pages opened as files.
  let loading;
  const index = () =>
    (loading ??= new Promise((resolve, reject) => {
      const script = element("script", { src: "search.js" });
      script.onload = () => resolve(window.driftlineDocs);
      script.onerror = reject;
      document.head.append(script);
    }));

  const best = (sections, words) => {
    const found = [];
    for (const [address, page, heading, text] of sections) {
      const [high, middle, low] = [heading, page, text].map((part) => part.toLowerCase());
      let score = 0;
      for (const word of words) {
        const here = high.includes(word) ? 8 : middle.includes(word) ? 3 : low.includes(word) ? 1 : 0;
        if (!here) { score = 0; break; }
        score += here;
      }
      if (score) found.push({ address, page, heading, text, score });
    }
    return found.sort((a, b) => b.score - a.score).slice(0, 20);
  };

  const excerpt = (text, word) => {
    const at = text.toLowerCase().indexOf(word);
    if (at < 0) return [text.slice(0, 120)];
    const from = Math.max(0, at - 50);
    const end = at + word.length;
    return [
      (from ? "…" : "") + text.slice(from, at),
      element("mark", { textContent: text.slice(at, end) }),
      text.slice(end, end + 80),
    ];
  };

  const search = (field, list) => {
    let turn = 0;
    const show = async () => {
      const mine = ++turn;
      const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
      if (!words.length) { list.hidden = true; return; }
      const found = best(await index(), words);
      if (mine !== turn) return;
      list.replaceChildren(
        ...found.map(({ address, page, heading, text }) =>
          element("a", { href: address }, heading === page ? page : `${page} › ${heading}`,
            element("small", {}, ...excerpt(text, words[0])))),
      );
      if (!found.length) list.replaceChildren(element("p", { textContent: "No results" }));
      list.hidden = false;
    };
    field.hidden = false;
    field.addEventListener("input", show);
    field.addEventListener("focus", show);
    list.addEventListener("click", () => { list.hidden = true; });
    document.addEventListener("click", (event) => {
      if (!field.parentElement.contains(event.target)) list.hidden = true;
    });
    document.addEventListener("keydown", (event) => {
      if (event.key === "/" && !/INPUT|TEXTAREA/.test(document.activeElement.tagName)) {
        event.preventDefault();
        field.focus();
      } else if (event.key === "Escape") {
        list.hidden = true;
      } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && !list.hidden) {
        const stops = [field, ...list.querySelectorAll("a")];
        const at = stops.indexOf(document.activeElement);
        const next = stops[at + (event.key === "ArrowDown" ? 1 : -1)];
        if (at >= 0 && next) { event.preventDefault(); next.focus(); }
      }
    });
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter") list.querySelector("a")?.click();
    });
  };

  const copying = () => {
    for (const block of document.querySelectorAll("pre")) {
      const button = element("button", { className: "copy", type: "button", textContent: "Copy" });
      button.addEventListener("click", async () => {
        const lines = block.querySelector("code").innerText.split("\n");
        // Of a terminal only what is typed.
        const typed = lines.filter((line) => line.startsWith("$ ")).map((line) => line.slice(2).replace(/\s+# .*$/, ""));
        await navigator.clipboard.writeText((typed.length ? typed : lines).join("\n").trimEnd() + "\n");
        button.textContent = "Copied";
        setTimeout(() => { button.textContent = "Copy"; }, 1500);
      });
      block.append(button);
    }
  };

  document.addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("scheme");
    const say = () => { button.textContent = `Theme: ${scheme}`; };
    button.hidden = false;
    say();
    button.addEventListener("click", () => {
      scheme = schemes[(schemes.indexOf(scheme) + 1) % schemes.length];
      try { localStorage.setItem("driftline-docs-scheme", scheme); } catch { /* kept for this page alone */ }
      use(scheme);
      say();
    });
    const wide = matchMedia("(min-width: 50.01rem)");
    const contents = document.querySelector(".contents");
    const unfold = () => { contents.open = wide.matches; };
    unfold();
    wide.addEventListener("change", unfold);
    search(document.getElementById("search"), document.getElementById("found"));
    if (navigator.clipboard) copying();
  });
})();
