import fc from "fast-check";
import { boxesOf, type Box, type Cell, type Shape } from "../../review/difference/reach-boxes";

const BITS = [0, 1, 2, 3];

/** Every packet of boxes, or of cells, as often as it is there; of what one machine sends to itself, nothing. */
function packets(boxes: readonly Box[], itself: (source: number, destination: number) => boolean): string[] {
  return boxes
    .flatMap(({ sources, destinations, mask }) =>
      sources.flatMap((source) =>
        destinations.flatMap((destination) =>
          BITS.filter((bit) => ((mask >> BigInt(bit)) & 1n) === 1n && !itself(source, destination)).map(
            (bit) => `${source} ${destination} ${bit}`,
          ),
        ),
      ),
    )
    .sort();
}

const asBoxes = (cells: readonly Cell[]): Box[] =>
  cells.map(({ source, destination, mask }) => ({ sources: [source], destinations: [destination], mask }));

const index = fc.nat(4);
const cells = fc.uniqueArray(
  fc.record({ source: index, destination: index, mask: fc.integer({ min: 1, max: 15 }).map(BigInt) }),
  { selector: ({ source, destination }) => `${source} ${destination}`, maxLength: 25 },
);
const flags = fc.array(fc.boolean(), { minLength: 5, maxLength: 5 });
const cut = fc.constantFrom<Shape["cut"]>("destination", "source", "fewest");

test("boxes hold what the cells hold, each packet once, however they are cut", () => {
  fc.assert(
    fc.property(cells, flags, flags, cut, (all, singles, fresh, how) => {
      const single = (at: number): boolean => singles[at] === true;
      const itself = (source: number, destination: number): boolean => source === destination && single(source);
      const given = all.filter(({ source, destination }) => !itself(source, destination));
      const shape = { cut: how, single, fresh: (at: number) => fresh[at] === true };
      expect(packets(boxesOf(given, shape), itself)).toEqual(packets(asBoxes(given), itself));
    }),
    { numRuns: 2000 },
  );
});

test("boxes between different kinds, where nothing is itself", () => {
  fc.assert(
    fc.property(cells, cut, (all, how) => {
      const never = (): boolean => false;
      expect(packets(boxesOf(all, { cut: how }), never)).toEqual(packets(asBoxes(all), never));
    }),
    { numRuns: 1000 },
  );
});

test("all sources of a destination are in one box, where they are to be", () => {
  fc.assert(
    fc.property(cells, (all) => {
      const boxes = boxesOf(all, { cut: "destination" });
      for (const bit of BITS) {
        const there = boxes.filter(({ mask }) => ((mask >> BigInt(bit)) & 1n) === 1n);
        const destinations = there.flatMap((box) => box.destinations);
        expect(destinations.length).toBe(new Set(destinations).size);
      }
    }),
    { numRuns: 500 },
  );
});

test("every machine to every machine is one box, one that is alone in its class included", () => {
  const everyone = [0, 1, 2].flatMap((source) =>
    [0, 1, 2].flatMap((destination) => (source === 0 && destination === 0 ? [] : [{ source, destination, mask: 1n }])),
  );
  expect(boxesOf(everyone, { cut: "fewest", single: (at) => at === 0 })).toEqual([
    { sources: [0, 1, 2], destinations: [0, 1, 2], mask: 1n },
  ]);
});

test("nothing is no box", () => {
  expect(boxesOf([], { cut: "fewest" })).toEqual([]);
});
