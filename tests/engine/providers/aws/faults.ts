/** Calls that fail, or come late, because a test wants them to. */
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { ProviderPlugin, ResourceKind, Subject } from "../server";

/** A call that fails or comes late. */
export interface Fault {
  readonly type: string;
  /** The resource's name in the program. */
  readonly name: string;
  readonly call: "create" | "read" | "update" | "delete";
  /** What it fails with. Left out: it does not fail. */
  readonly error?: string;
  /** Milliseconds before anything else. */
  readonly delay?: number;
  /** Milliseconds between what a creation did and its answer. */
  readonly answerDelay?: number;
}

/** The file is read at each call: a test can end a fault by taking it out. */
function faults(): readonly Fault[] {
  const file = process.env["ENGINE_TEST_AWS_FAULTS"];
  if (file === undefined) return [];
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Fault[];
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
}

function failing(type: string, kind: ResourceKind): ResourceKind {
  const faultOf = (call: Fault["call"], name: string): Fault | undefined =>
    faults().find((one) => one.type === type && one.name === name && one.call === call);
  const check = async (call: Fault["call"], { name }: Subject): Promise<void> => {
    const fault = faultOf(call, name);
    if (fault?.delay !== undefined) await sleep(fault.delay);
    if (fault?.error !== undefined) throw new Error(fault.error);
  };
  const failing: ResourceKind = {
    ...kind,
    async create(inputs, subject) {
      await check("create", subject);
      const created = await kind.create(inputs, subject);
      await sleep(faultOf("create", subject.name)?.answerDelay ?? 0);
      return created;
    },
    async read(id, state, subject) {
      await check("read", subject);
      return kind.read === undefined ? state : kind.read(id, state, subject);
    },
    async delete(id, state, subject) {
      await check("delete", subject);
      await kind.delete(id, state, subject);
    },
  };
  // A kind without `update` has none here either: that is what makes every change replace.
  if (kind.update === undefined) return failing;
  return {
    ...failing,
    async update(id, change, subject) {
      await check("update", subject);
      return kind.update!(id, change, subject);
    },
  };
}

/** The same kinds, whose calls go as the JSON file says that ENGINE_TEST_AWS_FAULTS names: a list of `Fault`s. */
export function withFaults(kinds: ProviderPlugin["kinds"]): ProviderPlugin["kinds"] {
  return Object.fromEntries(Object.entries(kinds).map(([type, kind]) => [type, failing(type, kind)]));
}
