// The difference of two plans: the verdict first, then what becomes reachable, and what an update does.

/** @typedef {import("../../difference/types").ReachEnd} ReachEnd */

/** @param {readonly ReachEnd[]} ends */
function endNames(ends) {
  return ends.map((end) => ("host" in end ? end.host : end.cidr));
}

/**
 * Whether words name each of those by itself.
 * @param {string} words
 * @param {readonly string[]} names
 */
function namesEach(words, names) {
  let rest = words;
  // The longest first: server-1 is not said by server-10.
  for (const name of [...names].sort((a, b) => b.length - a.length)) {
    if (!rest.includes(name)) return false;
    rest = rest.replace(name, "");
  }
  return true;
}

/**
 * Who, in words, and who that is one by one where the words do not say it.
 * @param {string} words
 * @param {readonly ReachEnd[]} ends
 */
function endCell(words, ends) {
  const names = endNames(ends);
  const said = namesEach(words, names);
  return html("div", {}, words, !said && html("div", { class: "muted small" }, nameList(names, "end")));
}

/** @param {ReachChange["flows"]} flows @param {ReachChange["because"]} because */
function reasonCell(flows, because) {
  return html(
    "div",
    {},
    html(
      "ul",
      { class: "plain" },
      ...flows.map(({ entry, title, why }) =>
        html("li", {}, title, " ", html("span", { class: "muted mono" }, entry), html("div", { class: "small" }, why)),
      ),
    ),
    because === "machines" && html("div", { class: "small" }, "Only because a machine is new or gone."),
  );
}

/** @param {ReachChange} change */
function changeWords({ protocol, ports }) {
  if (protocol === "all") return "all traffic";
  return ["icmp", "icmpv6", "ipip"].includes(protocol) ? protocol : `${protocol} ${ports}`;
}

/**
 * @param {string} caption
 * @param {readonly ReachChange[]} changes
 * @param {"gained" | "lost"} kind
 */
function reachTable(caption, changes, kind) {
  if (changes.length === 0) return note("Nothing.");
  return dataTable({
    caption,
    className: `reach-changes ${kind}`,
    heads: ["Ports", "From", "To", "Network", "Why", "Documents"],
    rows: changes.map((change) =>
      cellRow([
        html(
          "span",
          {},
          html("span", { class: `sign ${kind}`, "aria-hidden": "true" }, kind === "gained" ? "+" : "−"),
          mono(changeWords(change)),
          change.world && html("div", {}, worldBadge()),
        ),
        endCell(change.from, change.sources),
        endCell(change.to, change.destinations),
        change.network,
        reasonCell(change.flows, change.because),
        documentList(change.documents),
      ]),
    ),
  }).element;
}

/** A value that was or is; several lines stay lines. @param {string} value */
function valueCell(value) {
  return value === "" ? html("span", { class: "muted" }, "nothing") : html("span", { class: "mono lines" }, value);
}

/** @param {Difference} difference */
function rebuildTable({ rebuild }) {
  return plainTable({
    caption: "What must be rebuilt",
    heads: ["Setting", "Before", "After", "The change is", "Why", "What to do"],
    rows: rebuild.map(({ path, before, after, why, remedy, change }) =>
      cellRow([mono(path), valueCell(before), valueCell(after), changeBadge(change), why, remedy]),
    ),
  });
}

/** @param {Difference} difference */
function nodesTable({ nodes }) {
  return dataTable({
    caption: "What happens to nodes",
    heads: ["Node", "Role", "What", "Why"],
    rows: nodes.map(({ node, role, what, why }) =>
      cellRow([mono(node), role, what, html("ul", { class: "plain" }, ...why.map((text) => html("li", {}, text)))]),
    ),
  }).element;
}

/** @param {Difference} difference */
function rollList({ roll }) {
  return html(
    "ol",
    { class: "roll" },
    ...roll.map(({ what, nodes }) => html("li", {}, what, nodes.length > 0 && ": ", nameList(nodes, "node"))),
  );
}

/** @param {Difference} difference */
function resourcesTable({ resources }) {
  return dataTable({
    caption: "Other resources",
    heads: ["Resource", "Kind", "What", "Why"],
    rows: resources.map(({ kind, key, what, why }) => cellRow([mono(key), kind, what, why])),
  }).element;
}

/** @param {Difference} difference */
function costTable({ cost }) {
  const signed = (/** @type {number} */ number) => (number > 0 ? `+${number}` : `−${Math.abs(number)}`);
  return plainTable({
    caption: "What costs",
    heads: ["What", "Before", "After", "Change"],
    className: "numbers",
    rows: cost.map(({ what, before, after }) => cellRow([what, before, after, signed(after - before)])),
  });
}

/** @param {Difference} difference */
function settingsTable({ settings }) {
  return dataTable({
    caption: "Settings and components",
    heads: ["What", "Before", "After"],
    rows: settings.map(({ what, before, after }) => cellRow([what, valueCell(before), valueCell(after)])),
  }).element;
}

/** @param {Difference} difference */
function warningChanges({ warnings }) {
  /** @param {string} title @param {readonly string[]} lines @param {"gained" | "lost"} kind */
  const list = (title, lines, kind) =>
    lines.length > 0 &&
    html(
      "div",
      {},
      html("h4", {}, title),
      html("ul", { class: `warnings ${kind}` }, ...lines.map((line) => html("li", {}, line))),
    );
  return html("div", {}, list("New", warnings.added, "gained"), list("Gone", warnings.gone, "lost"));
}

/**
 * Parts of a difference besides reachability that may be empty.
 * @param {Difference} difference
 * @returns {readonly { id: string, title: string, size: number, draw: () => HTMLElement }[]}
 */
function otherParts(difference) {
  const { rebuild, nodes, roll, resources, cost, settings, warnings } = difference;
  return [
    { id: "rebuild", title: "Rebuild", size: rebuild.length, draw: () => rebuildTable(difference) },
    { id: "nodes", title: "Nodes", size: nodes.length, draw: () => nodesTable(difference) },
    { id: "roll", title: "Order of the roll", size: roll.length, draw: () => rollList(difference) },
    { id: "resources", title: "Resources", size: resources.length, draw: () => resourcesTable(difference) },
    { id: "cost", title: "Cost", size: cost.length, draw: () => costTable(difference) },
    { id: "settings", title: "Settings", size: settings.length, draw: () => settingsTable(difference) },
    {
      id: "warning-changes",
      title: "Warnings",
      size: warnings.added.length + warnings.gone.length,
      draw: () => warningChanges(difference),
    },
  ];
}

/**
 * @param {Difference} difference
 * @param {boolean} loud whether something opens to the world or to much of it, or nothing closes it any more
 */
function verdictBox({ verdict, reach, rebuild, before, after }, loud) {
  const refused = rebuild.some(({ change }) => change === "refused");
  const quiet = reach.gained.length > 0 || refused ? "warn" : "good";
  return html(
    "div",
    { class: `verdict ${loud ? "alert" : quiet}` },
    html("p", { class: "verdict-text" }, verdict),
    html(
      "p",
      { class: "muted" },
      `${counted(reach.gained.length, "change")} opened, ${reach.lost.length.toLocaleString("en")} closed. `,
      `From stack ${before.stack} (${before.source}) to stack ${after.stack} (${after.source}).`,
    ),
    refused &&
      html(
        "p",
        {},
        html("code", {}, "pulumi up"),
        " refuses this update as a whole, because of what cannot change: nothing below happens until that is set back.",
      ),
  );
}

/**
 * @param {Difference} difference
 * @param {boolean} loud whether its verdict is a loud one
 * @param {string} prefix of the ids of its sections
 */
function differenceView(difference, loud, prefix) {
  const { reach, before, after } = difference;
  const parts = otherParts(difference);
  const changed = parts.filter(({ size }) => size > 0);
  const same = parts.filter(({ size }) => size === 0).map(({ title }) => title.toLowerCase());
  const sections = [
    section(
      `${prefix}-gained`,
      `Becomes reachable (${reach.gained.length})`,
      reachTable("Becomes reachable", reach.gained, "gained"),
    ),
    section(
      `${prefix}-lost`,
      `No longer reachable (${reach.lost.length})`,
      reachTable("No longer reachable", reach.lost, "lost"),
    ),
    ...changed.map(({ id, title, size, draw }) =>
      section(`${prefix}-${id}`, id === "roll" ? title : `${title} (${size})`, draw()),
    ),
  ];
  const title = before.stack === after.stack ? after.stack : `${before.stack} and ${after.stack}`;
  return [
    html("h2", {}, html("span", { class: "kind" }, "Difference of "), title),
    verdictBox(difference, loud),
    html(
      "div",
      { class: "columns" },
      sectionNavigation(`Sections of the difference of ${title}`, sections),
      html(
        "div",
        { class: "sections-body" },
        ...sections,
        same.length > 0 && note(`Nothing changes in: ${same.join(", ")}.`),
      ),
    ),
  ];
}
