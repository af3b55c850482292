// A legend that several charts share: a click hides a line in all of them or shows it again, a double click (or one
// with Shift, as Enter can have it) shows it alone, and then all again. The charts are bound to the legend's input.
(() => {
  const BETWEEN = "\n"; // as dashboard/charts/shared_legend.py has it
  const isShown = (button) => button.getAttribute("aria-pressed") === "true";
  const show = (button, shown) => button.setAttribute("aria-pressed", String(shown));

  addEventListener("click", (event) => {
    const clicked = event.target.closest?.(".dl-legend button");
    if (!clicked) return;
    const legend = clicked.closest(".dl-legend");
    const all = [...legend.querySelectorAll("button")];
    if (event.detail > 1 || event.shiftKey) {
      const others = all.filter((button) => button !== clicked);
      const wasAlone = !others.some(isShown);
      for (const button of others) show(button, wasAlone);
      show(clicked, true);
    } else {
      show(clicked, !isShown(clicked));
    }
    const input = legend.querySelector("input");
    input.value = all.filter((button) => !isShown(button)).map((button) => button.dataset.series).join(BETWEEN);
    input.dispatchEvent(new Event("input"));
  });
})();
