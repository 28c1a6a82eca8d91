// The drawing of the network, and the same in words.

/** @param {Placed} placed @returns {SVGElement[]} the box, and after it what lies in it */
function drawBox(placed) {
  const { box, lines, x, y, width, height } = placed;
  const texts = lines.map(({ text, full, strong }, index) =>
    svg(
      "text",
      { x: x + PADDING, y: y + PADDING + 9 + index * LINE, class: strong ? "label" : "detail" },
      text,
      text !== full && svg("title", {}, full),
    ),
  );
  const frame = svg("rect", { x, y, width, height, rx: 6 });
  return [svg("g", { class: `box ${box.kind}` }, frame, ...texts), ...placed.children.flatMap(drawBox)];
}

/** @param {Routed} routed */
function drawLink({ link, path, head, lines, x, y }) {
  return svg(
    "g",
    { class: `link ${link.kind}` },
    svg("path", { class: "line", d: path }),
    svg("path", { class: "head", d: head }),
    ...lines.map((line, index) => svg("text", { class: "detail", x, y: y + index * LINE }, line)),
    svg("title", {}, `${link.from} → ${link.to}: ${link.label}`),
  );
}

/**
 * Places the network, one root below the other. @returns its size
 * @param {readonly Placed[]} inside
 * @param {number} start where it begins from the left
 */
function placeInside(inside, start) {
  const width = Math.max(0, ...inside.map((root) => root.width));
  let height = 0;
  for (const root of inside) {
    stretch(root, width);
    moveBox(root, start, height);
    height += root.height + GAP;
  }
  return { width, height: height - GAP };
}

/**
 * @param {Topology} topology
 * @returns {{ boxes: readonly Placed[], links: readonly Routed[], width: number, height: number }}
 */
function placeTopology(topology) {
  const { roots, all } = boxForest(topology);
  for (const root of roots) sizeBox(root);
  const outside = roots.filter(isOutside);
  const isOuter = (/** @type {TopologyLink} */ { from, to }) =>
    [from, to].some((key) => outside.some(({ box }) => box.key === key));
  const labels = topology.links.filter(isOuter).map((link) => textWidth(linkLabel(link), FONTS.mono));
  const column = Math.max(0, ...outside.map(({ width }) => width));
  const start = outside.length === 0 ? 0 : column + Math.max(0, ...labels) + 110;
  const size = placeInside(
    roots.filter((root) => !isOutside(root)),
    start,
  );
  const outsideHeight = placeOutside(outside, topology.links, all);
  const ends = linkEnds(topology.links, all);
  const inner = innerLinks(
    ends.filter(({ link }) => !isOuter(link)),
    start + size.width,
  );
  const innerLabels = inner.flatMap(({ x, lines }) => lines.map((line) => x + textWidth(line, FONTS.mono) + 4));
  return {
    boxes: roots,
    links: [...ends.filter(({ link }) => isOuter(link)).map(outsideLink), ...inner],
    width: Math.max(start + size.width, ...innerLabels) + 2,
    height: Math.max(outsideHeight, size.height, ...inner.map(({ y, lines }) => y + lines.length * LINE)) + 2,
  };
}

/** @param {Topology} topology @returns {HTMLElement} the boxes as a nested list, and the links */
function topologyText({ boxes, links }) {
  const labels = new Map(boxes.map(({ key, label }) => [key, label]));
  const keys = new Set(boxes.map(({ key }) => key));
  const isRoot = (/** @type {TopologyBox} */ { inside }) => inside === undefined || !keys.has(inside);
  /** @param {readonly TopologyBox[]} level @returns {HTMLElement} */
  const list = (level) =>
    html(
      "ul",
      {},
      ...level.map((box) => {
        const inner = boxes.filter(({ inside }) => inside === box.key);
        const details = box.details.length === 0 ? "" : ` (${box.details.join("; ")})`;
        return html("li", {}, `${box.label}${details}`, inner.length > 0 && list(inner));
      }),
    );
  const name = (/** @type {string} */ key) => labels.get(key) ?? key;
  return html(
    "details",
    { class: "alternative" },
    html("summary", {}, "The drawing in words"),
    list(boxes.filter(isRoot)),
    html(
      "ul",
      {},
      ...links.map(({ from, to, label, kind }) =>
        html("li", {}, `${name(from)} → ${name(to)}: ${label}${kind === "route" ? " (route)" : ""}`),
      ),
    ),
  );
}

/** @param {ReviewFacts} facts */
function topologyView({ stack, topology }) {
  const { boxes, links, width, height } = placeTopology(topology);
  const [title, description] = [freshId(), freshId()];
  const drawing = svg(
    "svg",
    {
      class: "topology",
      viewBox: `-1 -1 ${width} ${height}`,
      role: "img",
      "aria-labelledby": `${title} ${description}`,
    },
    svg("title", { id: title }, `Network of ${stack}`),
    svg(
      "desc",
      { id: description },
      `${counted(topology.boxes.length, "box").replace(/boxs$/u, "boxes")} and ${counted(topology.links.length, "link")}; the same stands below in words.`,
    ),
    ...boxes.flatMap(drawBox),
    ...links.map(drawLink),
  );
  // As large as it was laid out, smaller where there is less room, but never too small to read.
  drawing.style.width = `${width}px`;
  drawing.style.minWidth = `${Math.min(width, 760)}px`;
  return html(
    "div",
    { class: "drawing" },
    scrollRegion(`Drawing of the network of ${stack}`, drawing),
    note("Solid lines: traffic that the plan opens. Dashed lines: routes."),
    topologyText(topology),
  );
}
