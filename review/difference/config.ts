/** Differences of K3s's files on a node, by setting. */
import { parse } from "yaml";
import { knownText } from "../../plan/known-addresses";
import { showTemplate } from "../../plan/template";
import type { ClusterPlan, NodePlan } from "../../plan/types";
import { leafChanges, type LeafChange, type Pair } from "./changes";

/** A node's config.yaml as it is known before anything runs. Addresses on AWS are known after creation only. */
function configText(plan: ClusterPlan, node: NodePlan): string {
  return plan.target === "aws" ? showTemplate(node.config) : knownText(plan.nodes, node.config);
}

/** Settings in which two YAML files differ. Files that differ in nothing but their comments or order are the same here. */
export function settingChanges(before: string | undefined, after: string | undefined): LeafChange[] {
  return before === after ? [] : leafChanges(parse(before ?? "") ?? {}, parse(after ?? "") ?? {});
}

/** How a node's config.yaml differs. */
export interface ConfigDifference {
  /** Whether it is another file at all. */
  readonly differs: boolean;
  /** Settings that change. */
  readonly changes: readonly LeafChange[];
  /**
   * Settings that stand in comments of an agent's file: it learns them from a server when it starts, and nothing else of them is on the
   * agent. None where one of the files, by older code, does not name them.
   */
  readonly learned: readonly LeafChange[];
}

const SAME: ConfigDifference = { differs: false, changes: [], learned: [] };

/** Compares the files of the nodes of two plans; it knows what it has compared before, for YAML is slow to read. */
export class ConfigComparison {
  private readonly known = new WeakMap<NodePlan, ConfigDifference>();
  private readonly learned = new Map<string, LeafChange[]>();

  constructor(private readonly plans: Pair<ClusterPlan>) {}

  /** The difference of a node's file. */
  of(node: Pair<NodePlan>): ConfigDifference {
    const known = this.known.get(node.after);
    if (known !== undefined) return known;
    const found = this.compare(configText(this.plans.before, node.before), configText(this.plans.after, node.after));
    this.known.set(node.after, found);
    return found;
  }

  private compare(old: string, now: string): ConfigDifference {
    if (old === now) return SAME;
    return {
      differs: true,
      changes: settingChanges(withoutComments(old), withoutComments(now)),
      learned: this.learnedChanges(learnedLines(old), learnedLines(now)),
    };
  }

  /** Every agent has the same such lines. */
  private learnedChanges(old: string, now: string): LeafChange[] {
    if (old === "" || now === "") return [];
    const key = JSON.stringify([old, now]);
    const changes = this.learned.get(key) ?? settingChanges(old, now);
    this.learned.set(key, changes);
    return changes;
  }
}

/** Without lines that are comments as a whole; inside a text of several lines none begins so at the left margin. */
function withoutComments(text: string): string {
  return text.replace(/^#.*\n/gmu, "");
}

function learnedLines(text: string): string {
  return [...text.matchAll(/^# {3}(?<line>.*)$/gmu)].map(({ groups }) => `${groups?.["line"] ?? ""}\n`).join("");
}
