// What Streamlit leaves unsaid to a screen reader or a keyboard. In a narrow window its menu is a list of pages, in which
// sections lie that are no items and whose pages are in no list; and code that is too wide can't be scrolled by keys.
(() => {
  const say = () => {
    for (const section of document.querySelectorAll('[data-testid="stSidebarNavItems"] > div:not([role])')) {
      section.setAttribute("role", "listitem");
    }
    for (const page of document.querySelectorAll('[data-testid="stSidebarNavItems"] > div > li:not([role])')) {
      page.setAttribute("role", "none");
    }
    for (const code of document.querySelectorAll('[data-testid="stCode"] pre:not([tabindex])')) {
      if (code.scrollWidth > code.clientWidth) code.tabIndex = 0;
    }
  };
  let asked = 0;
  new MutationObserver(() => {
    asked ||= requestAnimationFrame(() => { asked = 0; say(); });
  }).observe(document, { childList: true, subtree: true });
  addEventListener("resize", say);
})();
