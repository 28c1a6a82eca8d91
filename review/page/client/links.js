// How the links of a drawing run: from outside by the gutter on the left, between boxes by lanes on the right.

/**
 * @typedef {{ link: TopologyLink, path: string, head: string, lines: readonly string[], x: number, y: number }} Routed
 * @typedef {{ link: TopologyLink, from: Placed, to: Placed, fromY: number, toY: number }} Ended
 */

const LANE = 13;
const ARROW = 7;
const LABEL_WIDTH = 230;

/** @param {number} x @param {number} y @param {1 | -1} direction 1: to the right @returns {string} an arrow's head whose tip is there */
function arrowHead(x, y, direction) {
  const back = x - direction * ARROW;
  return `M ${x} ${y} L ${back} ${y - ARROW / 2} L ${back} ${y + ARROW / 2} Z`;
}

/** @param {TopologyLink} link */
function linkLabel(link) {
  return fitText(link.label, FONTS.mono, LABEL_WIDTH);
}

/**
 * Where links end at the sides of boxes: each has a slot of its own, in the order of what is at the other end, so that they cross less.
 * @param {readonly TopologyLink[]} links
 * @param {ReadonlyMap<string, Placed>} all
 * @returns {Ended[]}
 */
function linkEnds(links, all) {
  const ended = links.flatMap((link) => {
    const [from, to] = [all.get(link.from), all.get(link.to)];
    return from === undefined || to === undefined ? [] : [{ link, from, to, fromY: 0, toY: 0 }];
  });
  for (const placed of all.values()) {
    for (const side of /** @type {const} */ (["left", "right"])) {
      const here = ended
        .flatMap((link) => [
          ...(link.from === placed ? [{ link, end: /** @type {const} */ ("fromY"), other: link.to }] : []),
          ...(link.to === placed ? [{ link, end: /** @type {const} */ ("toY"), other: link.from }] : []),
        ])
        .filter(({ link }) => (isOutside(placed) ? "right" : sideOf(link.from, link.to)) === side)
        .sort((a, b) => a.other.y - b.other.y);
      const room = placed.children.length > 0 ? placed.head : placed.height;
      const step = Math.min(SLOT, room / (here.length + 1));
      const first = placed.y + room / 2 - (step * (here.length - 1)) / 2;
      here.forEach(({ link, end }, index) => (link[end] = first + index * step));
    }
  }
  return ended;
}

/**
 * A link between outside and inside.
 * @param {Ended} ended
 * @returns {Routed}
 */
function outsideLink({ link, from, to, fromY, toY }) {
  const inwards = isOutside(from);
  const [outer, outerY, inner, innerY] = inwards ? [from, fromY, to, toY] : [to, toY, from, fromY];
  const label = linkLabel(link);
  const start = outer.x + outer.width;
  const bend = start + textWidth(label, FONTS.mono) + 26;
  const middle = (bend + inner.x) / 2;
  const [startGap, endGap] = inwards ? [0, ARROW] : [ARROW, 0];
  const path = `M ${start + startGap} ${outerY} H ${bend} C ${middle} ${outerY} ${middle} ${innerY} ${inner.x - endGap} ${innerY}`;
  const head = inwards ? arrowHead(inner.x, innerY, 1) : arrowHead(start, outerY, -1);
  return { link, path, head, lines: [label], x: start + 14, y: outerY - 5 };
}

/**
 * Links between boxes, each on a lane of its own, the longest on the outermost.
 * @param {readonly Ended[]} links
 * @param {number} edge the right side of the network
 * @returns {Routed[]}
 */
function innerLinks(links, edge) {
  const span = (/** @type {Ended} */ { fromY, toY }) => Math.abs(toY - fromY);
  const sorted = [...links].sort((a, b) => span(a) - span(b));
  const labelX = edge + (sorted.length + 1) * LANE + 6;
  const routed = sorted.map(({ link, from, to, fromY, toY }, index) => {
    const lane = edge + (index + 1) * LANE;
    const [startX, endX] = [from.x + from.width, to.x + to.width];
    const turn = Math.sign(toY - fromY) * Math.min(6, Math.abs(toY - fromY) / 2);
    const path =
      `M ${startX} ${fromY} H ${lane - 6} Q ${lane} ${fromY} ${lane} ${fromY + turn} ` +
      `V ${toY - turn} Q ${lane} ${toY} ${lane - 6} ${toY} H ${endX + ARROW}`;
    const lines = wrapText(link.label, FONTS.mono, LABEL_WIDTH);
    return { link, path, head: arrowHead(endX, toY, -1), lines, x: labelX, y: (fromY + toY) / 2 + 4, lane };
  });
  let free = -Infinity;
  for (const one of [...routed].sort((a, b) => a.y - b.y)) {
    const middle = one.y - 4;
    one.y = Math.max(one.y, free);
    free = one.y + one.lines.length * LINE;
    // A short leader from the lane to its label.
    one.path += ` M ${one.lane} ${middle} L ${labelX - 4} ${one.y - 4}`;
  }
  return routed;
}
