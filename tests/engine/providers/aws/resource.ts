/** A resource kind from what differs between kinds: the calls, and what the API's answer means in the program's terms. */
import type { Reading, ResourceKind, Subject } from "../server";
import { changedKeys, sameValue, type Value, type Values } from "../values";
import { awsOf, explained, orGone, type Aws } from "./client";
import { defined } from "./inputs";

/** Properties as the API has them. One that is `undefined` is not set there; one that is left out cannot be read. */
export type Found = Readonly<Record<string, Value | undefined>>;

/** Inputs before and after a change, the state, and the names of the inputs that differ. */
export interface Change {
  readonly olds: Values;
  readonly news: Values;
  readonly state: Values;
  readonly changed: ReadonlySet<string>;
}

/** How one type of resource is kept with the API. `Thing` is what the API answers. */
export interface Definition<Thing> {
  /** Inputs whose change needs another resource in its place; a function where it depends on the change. */
  readonly replacedBy?: readonly string[] | ((olds: Values, news: Values) => readonly string[]);
  /** @returns its id */
  create(aws: Aws, inputs: Values, subject: Subject): Promise<string>;
  /** What is there. An error that says "not found" is the same as undefined. */
  find(aws: Aws, id: string, state: { readonly inputs: Values; readonly outputs: Values }): Promise<Thing | undefined>;
  /** The inputs that would make it so. */
  inputs(thing: Thing, given: Values): Found;
  /** Its other properties: only such as no other resource changes, so that a refresh after that shows nothing. */
  outputs(thing: Thing, aws: Aws): Found;
  /** Changes it in place. Left out: every change replaces. */
  modify?(aws: Aws, id: string, change: Change): Promise<Found | undefined>;
  /** An error that says "not found" is as good as done. */
  remove(aws: Aws, id: string, state: Values): Promise<void>;
}

/** Maps whose every key counts. Of other objects only those keys do that the program gives: AWS fills in the rest. */
const WHOLE = new Set(["tags", "volumeTags"]);

function isObject(value: Value): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

function sorted(values: readonly Value[]): Value[] {
  return [...values].sort((one, other) => JSON.stringify(one).localeCompare(JSON.stringify(other)));
}

/** What is there, in the shape that was given: the same keys, and the same order of what has none for AWS. */
function inShapeOf(given: Value, now: Value): Value {
  if (isList(given) && isList(now)) {
    if (sameValue(sorted(given), sorted(now))) return given;
    if (given.length !== now.length) return now;
    return now.map((value, index) => inShapeOf(given[index] ?? null, value));
  }
  if (!isObject(given) || !isObject(now)) return now;
  return Object.fromEntries(
    Object.entries(given).map(([key, value]) => [key, key in now ? inShapeOf(value, now[key] ?? null) : value]),
  );
}

function read(given: Values, found: Found): Values {
  const entries = Object.entries(given).flatMap(([key, value]): [string, Value][] => {
    if (!Object.hasOwn(found, key)) return [[key, value]];
    const now = found[key];
    if (now === undefined) return [];
    return [[key, WHOLE.has(key) ? now : inShapeOf(value, now)]];
  });
  return Object.fromEntries(entries);
}

function replacement(replacedBy: Definition<never>["replacedBy"]): Pick<ResourceKind, "replacedBy" | "diff"> {
  if (typeof replacedBy !== "function") return replacedBy === undefined ? {} : { replacedBy };
  return {
    diff({ inputs: olds }, news) {
      const changed = changedKeys(olds, news);
      const replaces = replacedBy(olds, news);
      return { changed, replaces: changed.filter((key) => replaces.includes(key)) };
    },
  };
}

/** The kind, with the official provider's way of going on: read after each write, and missing things are gone. */
export function resource<Thing>(definition: Definition<Thing>): ResourceKind {
  const attempt = async <T>(action: string, subject: Subject, work: (aws: Aws) => Promise<T>): Promise<T> => {
    try {
      return await work(awsOf(subject.configuration));
    } catch (error) {
      throw explained(`${action} ${subject.name}`, error);
    }
  };
  const outputsOf = async (aws: Aws, id: string, inputs: Values, outputs: Values): Promise<Values> => {
    const thing = await definition.find(aws, id, { inputs, outputs });
    if (thing === undefined) throw new Error(`${id} is not there`);
    return defined(definition.outputs(thing, aws));
  };
  return {
    ...replacement(definition.replacedBy),
    create: (inputs, subject) =>
      attempt("creating", subject, async (aws) => {
        const id = await definition.create(aws, inputs, subject);
        return { id, outputs: await outputsOf(aws, id, inputs, {}) };
      }),
    read: (id, state, subject) =>
      attempt("reading", subject, async (aws): Promise<Reading | undefined> => {
        const thing = await orGone(definition.find(aws, id, state));
        if (thing === undefined) return undefined;
        const inputs = read(state.inputs, definition.inputs(thing, state.inputs));
        return { inputs, outputs: defined(definition.outputs(thing, aws)) };
      }),
    ...(definition.modify === undefined
      ? {}
      : {
          update: (id, { olds, news, state }, subject) =>
            attempt("updating", subject, async (aws) => {
              const changed = new Set(changedKeys(olds, news));
              const known = {
                ...state,
                ...defined((await definition.modify!(aws, id, { olds, news, state, changed })) ?? {}),
              };
              return outputsOf(aws, id, news, known);
            }),
        }),
    delete: (id, state, subject) =>
      attempt("deleting", subject, async (aws) => {
        await orGone(definition.remove(aws, id, state));
      }),
  };
}
