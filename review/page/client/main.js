// The page: its head, its tabs, and what is in them.

const THEMES = [
  { value: "auto", label: "Auto" },
  { value: "light", label: "Light" },
  { value: "dark", label: "Dark" },
];

/** The choice holds for this page as it is open: nothing is stored. */
function themeChoice() {
  const choose = (/** @type {string} */ value) => {
    if (value === "auto") delete document.documentElement.dataset["theme"];
    else document.documentElement.dataset["theme"] = value;
  };
  return html(
    "fieldset",
    { class: "themes" },
    html("legend", { class: "hidden" }, "Colours"),
    ...THEMES.map(({ value, label }) =>
      html(
        "label",
        {},
        html("input", {
          type: "radio",
          name: "theme",
          value,
          checked: value === "auto",
          onchange: () => choose(value),
        }),
        html("span", {}, label),
      ),
    ),
  );
}

/** @returns {readonly View[]} differences first: they are what a reviewer came for */
function allViews() {
  return [
    ...data.differences.map((difference, index) => ({
      id: `difference-${index + 1}`,
      title: difference.after.stack,
      hint: "Changes of",
      draw: () => differenceView(difference, data.loud[index] === true, `difference-${index + 1}`),
    })),
    ...data.facts.map((facts, index) => ({
      id: `stack-${index + 1}`,
      title: facts.stack,
      hint: data.differences.length > 0 ? "Stack" : "",
      draw: () => stackView(facts, `stack-${index + 1}`),
    })),
  ];
}

function drawPage() {
  const views = allViews();
  const tabs = tabsOf(views);
  const main = html("main", { id: "main", tabindex: -1 }, ...tabs.panels);
  if (views.length === 0) fill(main, [note("There is no stack to show.")]);
  document.body.append(
    html("a", { class: "skip", href: "#main" }, "Skip to the content"),
    html(
      "header",
      {},
      html("h1", {}, "Network review"),
      views.length > 1 && scrollRegion("Stacks and differences", tabs.list),
      themeChoice(),
    ),
    main,
    html(
      "footer",
      {},
      note(
        "Every statement comes from the plan of a stack file. This page is complete: it loads nothing, and sends nothing.",
      ),
    ),
  );
  const follow = () => {
    const id = decodeURIComponent(location.hash.slice(1));
    if (!tabs.open(id)) return;
    const target = document.getElementById(id);
    target?.scrollIntoView();
    target?.querySelector("h3")?.focus({ preventScroll: true });
  };
  addEventListener("hashchange", follow);
  follow();
  // Paper has no clicks.
  addEventListener("beforeprint", () => {
    for (const details of document.querySelectorAll("details")) details.open = true;
  });
}

drawPage();
