/**
 * Boxes: every one of some sources to every one of some destinations. What passes between pairs of classes is split into few boxes that
 * share nothing.
 */

/** What passes from one class to another. */
export interface Cell {
  readonly source: number;
  readonly destination: number;
  readonly mask: bigint;
}

export interface Box {
  readonly sources: readonly number[];
  readonly destinations: readonly number[];
  readonly mask: bigint;
}

export interface Shape {
  /**
   * Whether a class is one machine: it never sends to itself, so that a box may hold that pair or not. Undefined where sources and
   * destinations are of different kinds.
   */
  readonly single?: (index: number) => boolean;
  /** Whether a class is only in this plan. What passes only because of it is not mixed with machines that were there. */
  readonly fresh?: (index: number) => boolean;
  /** How to cut: all sources of a destination in one box, or all destinations of a source, or whichever gives fewer boxes. */
  readonly cut: "destination" | "source" | "fewest";
}

type Pairs = ReadonlyMap<number, ReadonlySet<number>>;

/** The sets of packets that each cell has all or nothing of. */
function partsOf(cells: readonly Cell[]): bigint[] {
  let parts = [cells.reduce((every, { mask }) => every | mask, 0n)];
  for (const mask of new Set(cells.map((cell) => cell.mask))) {
    parts = parts.flatMap((part) => [part & mask, part & ~mask].filter((piece) => piece !== 0n));
  }
  return parts;
}

function pairsBy(cells: readonly Cell[], by: "source" | "destination"): Pairs {
  const other = by === "source" ? "destination" : "source";
  const pairs = new Map<number, Set<number>>();
  for (const cell of cells) {
    const found = pairs.get(cell[by]);
    if (found === undefined) pairs.set(cell[by], new Set([cell[other]]));
    else found.add(cell[other]);
  }
  return pairs;
}

interface Group {
  readonly members: number[];
  readonly fresh: boolean;
  must: ReadonlySet<number>;
  may: ReadonlySet<number>;
}

const holds = (outer: ReadonlySet<number>, inner: ReadonlySet<number>): boolean =>
  inner.size <= outer.size && [...inner].every((item) => outer.has(item));

/** Classes that have the same others, but for the pair of one machine with itself. */
function alike(pairs: Pairs, single: (index: number) => boolean, fresh: (index: number) => boolean): Group[] {
  const groups: Group[] = [];
  for (const [member, must] of [...pairs].sort(([a], [b]) => a - b)) {
    const may = single(member) ? new Set([...must, member]) : must;
    const group = groups.find(
      (found) => found.fresh === fresh(member) && holds(found.may, must) && holds(may, found.must),
    );
    if (group === undefined) {
      groups.push({ members: [member], fresh: fresh(member), must, may });
      continue;
    }
    const { may: common } = group;
    group.members.push(member);
    group.must = new Set([...group.must, ...must]);
    group.may = new Set([...may].filter((item) => common.has(item)));
  }
  return groups;
}

function cutBy(cells: readonly Cell[], mask: bigint, by: "source" | "destination", shape: Shape): Box[] {
  const { single = (): boolean => false, fresh = (): boolean => false } = shape;
  const old = cells.some(({ source, destination }) => !fresh(source) && !fresh(destination));
  return alike(pairsBy(cells, by), single, old ? (): boolean => false : fresh).map(({ members, must }) => {
    const others = [...must].sort((a, b) => a - b);
    return by === "source"
      ? { sources: members, destinations: others, mask }
      : { sources: others, destinations: members, mask };
  });
}

function cut(cells: readonly Cell[], mask: bigint, shape: Shape): Box[] {
  if (shape.cut !== "fewest") return cutBy(cells, mask, shape.cut, shape);
  const columns = cutBy(cells, mask, "destination", shape);
  const rows = cutBy(cells, mask, "source", shape);
  return rows.length < columns.length ? rows : columns;
}

/** Boxes that together are the cells, exactly: those of the same two ends are one. */
export function boxesOf(cells: readonly Cell[], shape: Shape): Box[] {
  if (cells.length === 0) return [];
  const boxes = new Map<string, Box>();
  for (const part of partsOf(cells)) {
    const having = cells.filter(({ mask }) => (mask & part) !== 0n);
    for (const box of cut(having, part, shape)) {
      const key = `${box.sources.join()} ${box.destinations.join()}`;
      const same = boxes.get(key);
      boxes.set(key, same === undefined ? box : { ...same, mask: same.mask | box.mask });
    }
  }
  return [...boxes.values()];
}
