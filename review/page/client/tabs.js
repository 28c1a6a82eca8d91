// Tabs, one for each stack and each difference. What a tab shows is drawn when it is first opened.

/**
 * @typedef {{ id: string, title: string, hint: string, draw: () => readonly Child[] }} View
 */

/**
 * @param {readonly View[]} views
 * @returns {{ list: HTMLElement, panels: readonly HTMLElement[], open: (id: string) => boolean }}
 */
function tabsOf(views) {
  const tabs = views.map(({ id, title, hint }) =>
    html(
      "button",
      { type: "button", role: "tab", id: `${id}-tab`, "aria-controls": id, "aria-selected": "false", tabindex: -1 },
      hint !== "" && html("span", { class: "kind" }, hint, " "),
      title,
    ),
  );
  const panels = views.map(({ id }) =>
    html("div", { role: "tabpanel", id, "aria-labelledby": `${id}-tab`, tabindex: -1, hidden: true }),
  );
  const drawn = new Set();

  /** @param {number} chosen */
  function select(chosen) {
    tabs.forEach((tab, index) => {
      tab.setAttribute("aria-selected", String(index === chosen));
      tab.tabIndex = index === chosen ? 0 : -1;
      const panel = panels[index];
      if (panel !== undefined) panel.hidden = index !== chosen;
    });
    const [panel, view] = [panels[chosen], views[chosen]];
    if (panel === undefined || view === undefined || drawn.has(view.id)) return;
    drawn.add(view.id);
    fill(panel, view.draw());
  }
  const list = html("div", { role: "tablist", "aria-label": "Stacks and differences", class: "tabs" }, ...tabs);
  tabs.forEach((tab, index) => tab.addEventListener("click", () => select(index)));
  list.addEventListener("keydown", (event) => {
    const current = tabs.findIndex((tab) => tab === document.activeElement);
    const targets = new Map([
      ["ArrowRight", (current + 1) % tabs.length],
      ["ArrowLeft", (current - 1 + tabs.length) % tabs.length],
      ["Home", 0],
      ["End", tabs.length - 1],
    ]);
    const target = targets.get(event.key);
    if (target === undefined) return;
    event.preventDefault();
    select(target);
    tabs[target]?.focus();
  });
  select(0);
  return {
    list,
    panels,
    /** Opens the view that the id, or the id of one of its parts, belongs to. */
    open(id) {
      const index = views.findIndex((view) => id === view.id || id.startsWith(`${view.id}-`));
      if (index >= 0) select(index);
      return index >= 0;
    },
  };
}
