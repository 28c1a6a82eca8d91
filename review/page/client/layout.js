// Where the boxes of a drawing stand: who is outside in a column on the left, the network nested beside it, everything below one another,
// so that a link reaches each box from the left (from outside) or from the right (from another box) without crossing a third one.

/**
 * A box with its place, and the lines of text in it.
 * @typedef {{
 *   box: TopologyBox, children: Placed[], lines: { text: string, full: string, strong: boolean }[],
 *   x: number, y: number, width: number, height: number, head: number,
 *   left: number, right: number,
 * }} Placed
 */

const GAP = 14;
const PADDING = 14;
const LINE = 17;
/** Height that one end of a link takes at the side of a box. */
const SLOT = 22;
const TEXT_WIDTH = 300;
/** Lines that one text may take. */
const LINES = 4;
const FONTS = {
  strong: "600 13px system-ui, sans-serif",
  mono: "12px ui-monospace, 'Cascadia Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace",
};

const measuring = document.createElement("canvas").getContext("2d");

/** @param {string} text @param {string} font */
function textWidth(text, font) {
  if (measuring === null) return text.length * 7.5;
  measuring.font = font;
  return Math.ceil(measuring.measureText(text).width);
}

/** @param {string} text @param {string} font @param {number} width @returns {string} as much of the text as has room */
function fitText(text, font, width) {
  const line = text.replace(/\s+/gu, " ");
  if (textWidth(line, font) <= width) return line;
  const letters = [...line.slice(0, 200)];
  while (letters.length > 1 && textWidth(`${letters.join("")}…`, font) > width) letters.pop();
  return `${letters.join("")}…`;
}

/**
 * A text on as many lines as it needs, broken between words; what has no room on the last one is left out.
 * @param {string} text
 * @param {string} font
 * @param {number} width
 * @returns {string[]}
 */
function wrapText(text, font, width) {
  /** @type {string[]} */
  const lines = [];
  for (const word of text.split(/\s+/u).filter(Boolean)) {
    const longer = `${lines.at(-1) ?? ""} ${word}`.trimStart();
    if (lines.length > 0 && textWidth(longer, font) <= width) lines[lines.length - 1] = longer;
    else if (lines.length < LINES) lines.push(word);
    else {
      lines[LINES - 1] = `${longer}…`;
      break;
    }
  }
  return lines.map((line) => fitText(line, font, width));
}

/** @param {Placed} placed */
function ownLinesWidth({ lines }) {
  return Math.max(0, ...lines.map(({ text, strong }) => textWidth(text, strong ? FONTS.strong : FONTS.mono)));
}

/**
 * Boxes as a forest, in the drawing's order.
 * @param {Topology} topology
 * @returns {{ roots: Placed[], all: ReadonlyMap<string, Placed> }}
 */
function boxForest({ boxes, links }) {
  /** @type {Map<string, Placed>} */
  const all = new Map();
  for (const box of boxes) {
    const lines = [box.label, ...box.details].flatMap((full, index) => {
      const strong = index === 0;
      return wrapText(full, strong ? FONTS.strong : FONTS.mono, TEXT_WIDTH).map((text) => ({ text, full, strong }));
    });
    all.set(box.key, { box, children: [], lines, x: 0, y: 0, width: 0, height: 0, head: 0, left: 0, right: 0 });
  }
  /** @type {Placed[]} */
  const roots = [];
  for (const placed of all.values()) {
    const parent = placed.box.inside === undefined ? undefined : all.get(placed.box.inside);
    (parent?.children ?? roots).push(placed);
  }
  for (const { from, to } of links) countEnds(all.get(from), all.get(to));
  return { roots, all };
}

/** @param {Placed | undefined} from @param {Placed | undefined} to */
function countEnds(from, to) {
  if (from === undefined || to === undefined) return;
  const side = sideOf(from, to);
  from[isOutside(from) ? "right" : side] += 1;
  to[isOutside(to) ? "right" : side] += 1;
}

/** @param {Placed} placed */
function isOutside(placed) {
  return placed.box.kind === "outside";
}

/** @param {Placed} from @param {Placed} to @returns {"left" | "right"} the side of boxes inside that a link uses */
function sideOf(from, to) {
  return isOutside(from) || isOutside(to) ? "left" : "right";
}

/** @param {Placed} placed */
function isLinked(placed) {
  return placed.left > 0 || placed.right > 0 || placed.children.length > 0;
}

/**
 * Sizes a box from the inside out. Children with links stand below one another; the others, which nothing has to reach, in rows.
 * @param {Placed} placed
 */
function sizeBox(placed) {
  const ends = Math.max(placed.left, placed.right) * SLOT;
  placed.head = PADDING + placed.lines.length * LINE;
  if (placed.children.length === 0) {
    placed.width = ownLinesWidth(placed) + 2 * PADDING;
    placed.height = Math.max(placed.head + PADDING - 4, ends + PADDING);
    return;
  }
  for (const child of placed.children) sizeBox(child);
  // Links to a box that holds others end in its head.
  placed.head = Math.max(placed.head + 6, ends + PADDING);
  const widest = Math.max(ownLinesWidth(placed), ...placed.children.map(({ width }) => width), 2 * 150 + GAP);
  const bottom = placeChildren(placed, widest);
  placed.width = widest + 2 * PADDING;
  placed.height = bottom + PADDING;
}

/**
 * Places children relative to their box. @returns where the last of them ends
 * @param {Placed} placed
 * @param {number} inner width that they have
 */
function placeChildren(placed, inner) {
  let y = placed.head;
  for (const child of placed.children.filter(isLinked)) {
    stretch(child, inner);
    child.x = PADDING;
    child.y = y;
    y += child.height + GAP;
  }
  let x = 0;
  let rowHeight = 0;
  for (const child of placed.children.filter((other) => !isLinked(other))) {
    if (x > 0 && x + child.width > inner) {
      y += rowHeight + GAP;
      x = 0;
      rowHeight = 0;
    }
    child.x = PADDING + x;
    child.y = y;
    x += child.width + GAP;
    rowHeight = Math.max(rowHeight, child.height);
  }
  return rowHeight > 0 ? y + rowHeight : y - GAP;
}

/** Makes a box as wide as its column, and what is in it with it. @param {Placed} placed @param {number} width */
function stretch(placed, width) {
  placed.width = width;
  for (const child of placed.children.filter(isLinked)) stretch(child, width - 2 * PADDING);
}

/** Turns places within a box into places in the drawing. @param {Placed} placed @param {number} x @param {number} y */
function moveBox(placed, x, y) {
  placed.x += x;
  placed.y += y;
  for (const child of placed.children) moveBox(child, placed.x, placed.y);
}

/**
 * Boxes outside, each as near to what it reaches as the others let it. @returns where the last of them ends
 * @param {readonly Placed[]} outside
 * @param {readonly TopologyLink[]} links
 * @param {ReadonlyMap<string, Placed>} all
 */
function placeOutside(outside, links, all) {
  const middle = (/** @type {Placed} */ placed) => {
    const others = links.flatMap(({ from, to }) =>
      from === placed.box.key ? (all.get(to) ?? []) : to === placed.box.key ? (all.get(from) ?? []) : [],
    );
    const inside = others.filter((other) => !isOutside(other));
    const sum = inside.reduce((total, other) => total + other.y + Math.min(other.height, 2 * LINE) / 2, 0);
    return inside.length === 0 ? 0 : sum / inside.length - placed.height / 2;
  };
  const width = Math.max(0, ...outside.map((placed) => placed.width));
  let free = 0;
  for (const { placed, wish } of outside
    .map((placed) => ({ placed, wish: middle(placed) }))
    .sort((a, b) => a.wish - b.wish)) {
    placed.width = width;
    placed.y = Math.max(free, wish);
    free = placed.y + placed.height + GAP;
  }
  return free - GAP;
}
