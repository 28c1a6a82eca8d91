// Everything that the review says of one stack.

/** @param {ReviewFacts} facts */
function summaryList({ summary }) {
  return html(
    "dl",
    { class: "summary" },
    ...summary.map(({ label, value }) => html("div", {}, html("dt", {}, label), html("dd", {}, value))),
  );
}

/**
 * What anyone on the internet may reach.
 * @param {ReviewFacts} facts
 */
function worldList({ flows }) {
  const open = flows.filter(({ openToWorld }) => openToWorld);
  if (open.length === 0) {
    return html("p", { class: "callout good" }, html("strong", {}, "Open to the world: nothing."));
  }
  return html(
    "div",
    { class: "callout alert" },
    html("strong", {}, `Open to the world: ${counted(open.length, "flow")}`),
    html(
      "ul",
      { class: "plain" },
      ...open.map(({ ports, to, network, title }) =>
        html("li", {}, mono(ports), ` at ${to}, network ${network}: ${title}`),
      ),
    ),
  );
}

/** @param {ReviewFacts} facts @returns {TableView} */
function rulesTable({ rules }) {
  return dataTable({
    caption: "Rules",
    heads: ["Rule", "Group", "Direction", "Ports", "Peer", "Why", "Documents"],
    className: "rules",
    rows: rules.map(({ key, group, direction, ports, peer, reasons, documents }) =>
      cellRow(
        [
          mono(key),
          mono(group),
          direction,
          portsText(ports),
          mono(peer),
          reasons.length === 1
            ? reasons[0]
            : html("ul", { class: "plain" }, ...reasons.map((text) => html("li", {}, text))),
          documentList(documents),
        ],
        key,
      ),
    ),
  });
}

/** @param {ReviewFacts} facts */
function networkTables({ network }) {
  return network.flatMap(({ title, heads, rows }) => [
    html("h4", {}, title),
    rows.length === 0 ? note("None.") : dataTable({ caption: title, heads, rows: rows.map(textRow) }).element,
  ]);
}

/** @param {ReviewFacts} facts */
function configurationBlocks({ configuration }) {
  return configuration.map(({ role, nodes, as, text }) =>
    html(
      "div",
      { class: "block" },
      html("h4", {}, `${role}: ${counted(nodes.length, "node")}, as on ${as}`),
      nodes.length > 1 && html("p", { class: "muted" }, nameList(nodes, "node")),
      codeBlock(`Configuration of ${as}`, text),
    ),
  );
}

/** @param {ReviewFacts} facts */
function registriesBlock({ registries }) {
  return (
    registries !== undefined &&
    html(
      "div",
      { class: "block" },
      html("h4", {}, "Registries, on every node"),
      codeBlock("Configuration of registries", registries),
    )
  );
}

/** @param {ReviewFacts} facts */
function flannelBlock({ flannelConfig }) {
  return (
    flannelConfig !== undefined &&
    html(
      "div",
      { class: "block" },
      html("h4", {}, "Flannel, on every node"),
      codeBlock("Configuration of flannel", flannelConfig),
    )
  );
}

/** @param {ReviewFacts} facts */
function objectBlocks({ objects }) {
  if (objects.length === 0) return [note("None.")];
  return objects.map(({ key, name, text }) =>
    html("details", { class: "object" }, html("summary", {}, mono(name)), codeBlock(`Object ${key}`, text)),
  );
}

/** @param {ReviewFacts} facts */
function componentsTable({ components }) {
  return plainTable({
    caption: "Components",
    heads: ["Component", "State", "Why"],
    rows: components.map(({ name, enabled, why }) =>
      cellRow([name, enabled ? badge("on", "good") : badge("off"), why]),
    ),
  });
}

/** @param {ReviewFacts} facts */
function warningList({ warnings }) {
  if (warnings.length === 0) return note("None.");
  return html(
    "ul",
    { class: "warnings" },
    ...warnings.map(({ code, path, message, remedy }) =>
      html(
        "li",
        {},
        html("p", {}, mono(path), ` ${message}`),
        html("p", {}, html("strong", {}, "To do: "), remedy),
        html("p", { class: "muted" }, "Code ", mono(code)),
      ),
    ),
  );
}

/** @param {"refused" | "migration"} change */
function changeBadge(change) {
  return change === "refused" ? badge("refused", "alert") : badge("migration", "warn");
}

/** @param {ReviewFacts} facts */
function fixedTable({ fixed }) {
  return plainTable({
    caption: "What cannot be changed later",
    heads: ["Setting", "Value", "Another value is", "Why", "What to do for another value"],
    rows: fixed.map(({ path, value, why, remedy, change }) =>
      cellRow([mono(path), mono(value), changeBadge(change), why, remedy]),
    ),
  });
}

/**
 * Links to the sections of a view. The one in sight is marked.
 * @param {string} label
 * @param {readonly HTMLElement[]} sections
 */
function sectionNavigation(label, sections) {
  const links = sections.map((one) => html("a", { href: `#${one.id}` }, one.querySelector("h3")?.textContent));
  const seen = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) target.toggleAttribute("data-seen", isIntersecting);
      const first = sections.findIndex((one) => one.hasAttribute("data-seen"));
      links.forEach((link, index) => {
        if (index === first) link.setAttribute("aria-current", "true");
        else link.removeAttribute("aria-current");
      });
    },
    { rootMargin: "-10% 0px -60% 0px" },
  );
  for (const one of sections) seen.observe(one);
  return html(
    "nav",
    { class: "sections", "aria-label": label },
    html("ul", {}, ...links.map((link) => html("li", {}, link))),
  );
}

/**
 * @param {ReviewFacts} facts
 * @param {string} prefix of the ids of its sections
 */
function stackView(facts, prefix) {
  const rules = rulesTable(facts);
  const sections = [
    section(`${prefix}-summary`, "Summary", summaryList(facts), note(facts.enforcement), worldList(facts)),
    section(`${prefix}-network-drawing`, "Topology", topologyView(facts)),
    section(`${prefix}-reach`, "Who can reach what", matrixView(facts, rules.reveal)),
    section(`${prefix}-rules`, `Rules (${facts.rules.length})`, rules.element),
    section(`${prefix}-network`, "Network", ...networkTables(facts)),
    section(
      `${prefix}-configuration`,
      "K3s configuration",
      ...configurationBlocks(facts),
      registriesBlock(facts),
      flannelBlock(facts),
    ),
    section(`${prefix}-objects`, `Objects in the cluster (${facts.objects.length})`, ...objectBlocks(facts)),
    section(`${prefix}-components`, "Components", componentsTable(facts)),
    section(`${prefix}-warnings`, `Warnings (${facts.warnings.length})`, warningList(facts)),
    section(`${prefix}-fixed`, "What cannot be changed later", fixedTable(facts)),
  ];
  return [
    html("h2", {}, html("span", { class: "kind" }, "Stack "), facts.stack),
    html(
      "div",
      { class: "columns" },
      sectionNavigation(`Sections of ${facts.stack}`, sections),
      html("div", { class: "sections-body" }, ...sections),
    ),
  ];
}
