// The matrix of peers: a grid for mouse, touch and keyboard, its filters, and the answer beside it.

/** Steps of the arrow keys: columns, rows. */
const STEPS = new Map([
  ["ArrowLeft", [-1, 0]],
  ["ArrowRight", [1, 0]],
  ["ArrowUp", [0, -1]],
  ["ArrowDown", [0, 1]],
]);

function closedMark() {
  return html("span", { class: "closed" }, html("span", { "aria-hidden": "true" }, "·"), hidden("closed"));
}

/**
 * What a cell shows: ports, network by network where the stack has several, and whether parts of the two have more.
 * @param {Reach} reach
 * @param {Pair} pair
 * @param {Filter} filter
 * @param {boolean} severalNetworks
 * @returns {readonly Child[]}
 */
function cellContent(reach, pair, filter, severalNetworks) {
  const { openings } = reach.matches(pair, filter);
  const networks = [...new Set(openings.map(({ network }) => network))];
  const inPart = reach.parts(pair).some((part) => reach.matches(part, filter).openings.length > 0);
  const open = openings.length > 0;
  const isFilteredOut = reach.openings(pair).length > 0 || reach.parts(pair).length > 0;
  return [
    ...networks.flatMap((network) => [
      severalNetworks && html("span", { class: "network" }, network, " "),
      ...openingLines(openings.filter((opening) => opening.network === network)).map((line) => portsText(`${line} `)),
    ]),
    open && reach.isWorld(pair) && badge("world", "alert"),
    inPart && html("span", { class: "part" }, open ? "more in part" : "in part"),
    !open && !inPart && (isFilteredOut ? html("span", { class: "part" }, "no match") : closedMark()),
  ];
}

/**
 * Moves the focus within the grid.
 * @param {HTMLTableElement} table
 * @param {KeyboardEvent} event
 * @param {HTMLTableCellElement} cell
 * @returns {HTMLTableCellElement | undefined}
 */
function cellTowards(table, event, cell) {
  const rows = [...table.tBodies].flatMap((body) => [...body.rows]).map((row) => [...row.querySelectorAll("td")]);
  const y = rows.findIndex((row) => row.includes(cell));
  const x = rows[y]?.indexOf(cell) ?? 0;
  const step = STEPS.get(event.key);
  if (step !== undefined) return rows[y + (step[1] ?? 0)]?.[x + (step[0] ?? 0)];
  const row = event.ctrlKey ? rows.at(event.key === "Home" ? 0 : -1) : rows[y];
  if (event.key === "Home") return row?.[0];
  if (event.key === "End") return row?.at(-1);
  return undefined;
}

/**
 * The fields above the matrix. @returns the form, and what it says
 * @param {ReviewFacts} facts
 * @param {() => void} changed
 */
function filterForm(facts, changed) {
  const { input: text, field: textField } = filterField("Peer, port, reason, rule …", changed);
  const networks = [...new Set(facts.flows.map(({ network }) => network))].sort();
  const options = (/** @type {readonly string[]} */ names) =>
    names.map((name) => html("option", { value: name }, name));
  const network = html("select", { onchange: changed }, html("option", { value: "" }, "all"), ...options(networks));
  const protocol = html(
    "select",
    { onchange: changed },
    html("option", { value: "" }, "any"),
    ...options(["tcp", "udp", "icmp", "icmpv6", "ipip"]),
  );
  const port = html("input", { type: "number", min: 0, max: 65535, inputmode: "numeric", oninput: changed });
  const world = html("input", { type: "checkbox", onchange: changed });
  const labelled = (/** @type {string} */ label, /** @type {HTMLElement} */ control) =>
    html("label", { class: "field" }, html("span", {}, label), control);
  const element = html(
    "form",
    {
      class: "filters",
      role: "search",
      "aria-label": "Filter the matrix",
      onsubmit: (/** @type {Event} */ event) => event.preventDefault(),
    },
    textField,
    networks.length > 1 && labelled("Network", network),
    labelled("Protocol", protocol),
    labelled("Port", port),
    html("label", { class: "check" }, world, html("span", {}, "only open to the world")),
    html("button", { type: "reset", class: "quiet", onclick: () => setTimeout(changed) }, "Clear"),
  );
  /** @returns {Filter} */
  const value = () => ({
    text: text.value,
    network: network.value,
    protocol: protocol.value,
    port: port.value,
    world: world.checked,
  });
  return { element, value };
}

/**
 * The grid of those peers. Every cell is there, the closed ones too.
 * @param {Reach} reach
 * @param {readonly string[]} sources
 * @param {readonly string[]} targets
 * @param {(pair: Pair) => readonly Child[]} content
 */
function gridTable(reach, sources, targets, content) {
  const heading = (/** @type {string} */ key, /** @type {Attributes} */ attributes) => {
    const peer = reach.peers.get(key);
    const size =
      peer?.kind === "nodes" ? counted(peer.members.length, "node") : peer?.cidrs.length === 1 ? peer.cidrs[0] : "";
    return html(
      "th",
      attributes,
      html("span", { class: "peer" }, key),
      size !== "" && html("span", { class: "size" }, " ", size),
    );
  };
  return html(
    "table",
    { class: "matrix", role: "grid", "aria-label": "Who can reach whom: rows are sources, columns destinations" },
    html(
      "thead",
      {},
      html(
        "tr",
        {},
        html("th", { scope: "col", class: "corner" }, html("span", {}, "from ↓"), html("span", {}, " to →")),
        ...targets.map((key) => heading(key, { scope: "col" })),
      ),
    ),
    html(
      "tbody",
      {},
      ...sources.map((from) =>
        html(
          "tr",
          {},
          heading(from, { scope: "row" }),
          ...targets.map((to) =>
            html(
              "td",
              { role: "gridcell", tabindex: -1, "aria-selected": "false", "data-from": from, "data-to": to },
              ...content({ from, to }),
            ),
          ),
        ),
      ),
    ),
  );
}

/**
 * Peers that no cell names as sender, or as receiver.
 * @param {ReviewFacts} facts
 */
function silentPeers(facts) {
  const names = (/** @type {"from" | "to"} */ end) =>
    facts.peers.filter(({ key }) => !facts.cells.some((cell) => cell[end] === key)).map(({ key }) => key);
  const [unable, unreached] = [names("from"), names("to")];
  return [
    note(
      "Choose a cell to see why it is open. Ports are open from every one of the row to every other one of the column. “In part”: for some of them, which other rows or columns name. A dot: closed.",
    ),
    unable.length > 0 && note("No row, since no flow starts there: ", mono(unable.join(", ")), "."),
    unreached.length > 0 && note("No column, since no flow leads there: ", mono(unreached.join(", ")), "."),
  ];
}

/**
 * The matrix with its filters and answers.
 * @param {ReviewFacts} facts
 * @param {(key: string) => void} showRule
 */
function matrixView(facts, showRule) {
  const reach = reachOf(facts);
  const severalNetworks = new Set(facts.flows.map(({ network }) => network)).size > 1;
  const status = html("p", { class: "status", role: "status" });
  const grid = html("div", { class: "grid" });
  const answer = html("div", { class: "answers", hidden: true });
  const form = filterForm(facts, show);
  /** @type {Pair | undefined} */
  let chosen;

  const cells = () => [...grid.querySelectorAll("td")];
  const find = (/** @type {Pair | undefined} */ pair) =>
    cells().find(({ dataset }) => dataset["from"] === pair?.from && dataset["to"] === pair?.to);

  /** @param {HTMLTableCellElement | undefined} cell */
  function makeCurrent(cell) {
    for (const other of cells()) other.tabIndex = other === cell ? 0 : -1;
  }
  function mark() {
    for (const cell of cells()) cell.setAttribute("aria-selected", String(cell === find(chosen)));
  }
  function show() {
    const filter = form.value();
    const shown = facts.cells
      .map((pair) => ({ pair, ...reach.matches(pair, filter) }))
      .filter(({ openings }) => openings.length > 0);
    const among = (/** @type {"from" | "to"} */ end) =>
      facts.peers.map(({ key }) => key).filter((key) => shown.some(({ pair }) => pair[end] === key));
    const table = gridTable(reach, among("from"), among("to"), (pair) =>
      cellContent(reach, pair, filter, severalNetworks),
    );
    refill(grid, shown.length > 0 ? scrollRegion("Matrix of peers", table) : note("Nothing matches."));
    const flows = new Set(shown.flatMap((one) => one.flows));
    status.textContent =
      `${shown.length} of ${counted(facts.cells.length, "pair")} of peers, ` +
      `by ${flows.size} of ${counted(facts.flows.length, "flow")}`;
    makeCurrent(find(chosen) ?? cells()[0]);
    mark();
  }
  function close() {
    const cell = find(chosen);
    chosen = undefined;
    answer.hidden = true;
    refill(answer);
    mark();
    makeCurrent(cell ?? cells()[0]);
    (cell ?? cells()[0])?.focus();
  }
  /** @param {Pair} pair */
  function choose(pair) {
    chosen = pair;
    answer.hidden = false;
    refill(answer, answerView(reach, pair, { showRule, choose, close }));
    const cell = find(pair);
    if (cell !== undefined) makeCurrent(cell);
    mark();
    answer.querySelector("h4")?.focus();
  }

  grid.addEventListener("click", ({ target }) => {
    const cell = target instanceof Element ? target.closest("td") : null;
    if (cell !== null) choose({ from: cell.dataset["from"] ?? "", to: cell.dataset["to"] ?? "" });
  });
  grid.addEventListener("keydown", (event) => {
    const cell = event.target instanceof Element ? event.target.closest("td") : null;
    const table = cell?.closest("table");
    if (cell === null || table === null || table === undefined) return;
    if (event.key === "Enter" || event.key === " ") cell.click();
    else if (event.key === "Escape" && chosen !== undefined) close();
    else {
      const next = cellTowards(table, event, cell);
      if (next === undefined && !STEPS.has(event.key)) return;
      if (next !== undefined) makeCurrent(next);
      next?.focus();
    }
    event.preventDefault();
  });
  show();
  return html(
    "div",
    { class: "reach" },
    form.element,
    status,
    html("div", { class: "split" }, grid, answer),
    ...silentPeers(facts),
  );
}
