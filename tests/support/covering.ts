/**
 * Covering arrays: few rows, found greedily and always the same ones, in which every two values of different factors that can be had
 * together stand together at least once.
 */

/** Values by factor. */
export type Factors = Readonly<Record<string, readonly string[]>>;
/** One value of every factor. */
export type Row = Readonly<Record<string, string>>;
type Part = Readonly<Record<string, string | undefined>>;

/** Values that cannot be had together: a row that has one of each factor's is none. */
export interface Never {
  /** The problem's code that says so. */
  readonly code: string;
  readonly values: Readonly<Record<string, readonly string[]>>;
}

/** Two values of different factors, as one text: `cni=calico dns=none`. */
type Pair = string;

const pairOf = (one: string, value: string, other: string, otherValue: string): Pair =>
  `${one}=${value} ${other}=${otherValue}`;

/** Every pair of values of different factors, in the factors' order. */
export function everyPair(factors: Factors): Pair[] {
  const names = Object.keys(factors);
  return names.flatMap((one, index) =>
    names
      .slice(index + 1)
      .flatMap((other) =>
        factors[one]!.flatMap((value) => factors[other]!.map((second) => pairOf(one, value, other, second))),
      ),
  );
}

/** The pairs that a row has, in the factors' order. */
export function pairsIn(factors: Factors, row: Part): Pair[] {
  const names = Object.keys(factors).filter((name) => row[name] !== undefined);
  return names.flatMap((one, index) =>
    names.slice(index + 1).map((other) => pairOf(one, row[one]!, other, row[other]!)),
  );
}

/** What forbids a row, or a part of one: nothing that the part leaves open. */
export function forbids(nevers: readonly Never[], row: Part): readonly Never[] {
  return nevers.filter(({ values }) =>
    Object.entries(values).every(([name, some]) => row[name] !== undefined && some.includes(row[name])),
  );
}

/** A row that holds a part, by what is covered anew; undefined where none is possible. */
export function complete(
  factors: Factors,
  nevers: readonly Never[],
  open: ReadonlySet<Pair>,
  part: Part,
): Row | undefined {
  if (forbids(nevers, part).length > 0) return undefined;
  const name = Object.keys(factors).find((each) => part[each] === undefined);
  if (name === undefined) return part as Row;
  const gain = (value: string): number =>
    Object.entries(part).filter(
      ([other, second]) =>
        open.has(pairOf(name, value, other, second!)) || open.has(pairOf(other, second!, name, value)),
    ).length;
  const byGain = factors[name]!.map((value) => ({ value, gain: gain(value) })).sort((a, b) => b.gain - a.gain);
  for (const { value } of byGain) {
    const found = complete(factors, nevers, open, { ...part, [name]: value });
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The rows, and the pairs that no possible row has. */
export function covering(
  factors: Factors,
  nevers: readonly Never[],
): { rows: readonly Row[]; impossible: readonly Pair[] } {
  const open = new Set(everyPair(factors));
  const rows: Row[] = [];
  const impossible: Pair[] = [];
  for (const pair of everyPair(factors)) {
    if (!open.has(pair)) continue;
    const part = Object.fromEntries(pair.split(" ").map((text) => text.split("=") as [string, string]));
    const row = complete(factors, nevers, open, part);
    if (row === undefined) impossible.push(pair);
    else rows.push(row);
    for (const covered of row === undefined ? [pair] : pairsIn(factors, row)) open.delete(covered);
  }
  return { rows, impossible };
}
