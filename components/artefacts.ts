import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { getEngine } from "@pulumi/pulumi/runtime/settings";
import type { ClusterPlan } from "../plan/types";

/** A file of the operator's that is not the one that the stack names. */
export interface WrongArtefact {
  /** Its place in the stack file, such as `k3s.airGap.amd64.images`. */
  readonly at: string;
  /** The file, as the stack says it. */
  readonly file: string;
  /** The SHA-256 that the stack says, and the file's own, or why the file cannot be read. */
  readonly said: string;
  readonly found: { readonly sha256: string } | { readonly reason: string };
}

type Artefact = Pick<WrongArtefact, "at" | "file" | "said">;

/**
 * The files that a plan copies to hosts, each read once, and held against its SHA-256: a wrong one is told before anything is declared,
 * and not by a host half-way through the update. A relative path is one below the working folder, which is the project's. A review, which
 * has no engine, reads none of them.
 */
export async function wrongArtefacts(plan: ClusterPlan): Promise<WrongArtefact[]> {
  if (getEngine() === undefined) return [];
  const wrong: WrongArtefact[] = [];
  for (const artefact of artefactsOf(plan)) {
    const found = await checksum(artefact.file);
    if (!("sha256" in found) || found.sha256 !== artefact.said) wrong.push({ ...artefact, found });
  }
  return wrong;
}

function artefactsOf(plan: ClusterPlan): Iterable<Artefact> {
  if (plan.target !== "existing") return [];
  const places = plan.nodes.flatMap(({ arch, artefacts }) =>
    artefacts.map(({ kind, path, sha256 }): [string, Artefact] => {
      const at = kind === "install-script" ? "k3s.airGap.installScript" : `k3s.airGap.${arch}.${kind}`;
      return [at, { at, file: path, said: sha256 }];
    }),
  );
  return new Map(places).values();
}

async function checksum(file: string): Promise<WrongArtefact["found"]> {
  const hash = createHash("sha256");
  try {
    for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
    return { sha256: hash.digest("hex") };
  } catch (error) {
    return { reason: reasonOf((error as NodeJS.ErrnoException).code) };
  }
}

function reasonOf(code = "unknown error"): string {
  switch (code) {
    case "ENOENT":
      return "is not there";
    case "EISDIR":
      return "is a folder";
    default:
      return `cannot be read (${code})`;
  }
}
