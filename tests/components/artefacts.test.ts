/** The operator's files for an installation without the internet, held against the stack before anything is declared. */
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as settings from "@pulumi/pulumi/runtime/settings";
import { wrongArtefacts } from "../../components/artefacts";
import { createPlan } from "../../plan";
import type { ExistingClusterPlan } from "../../plan/types";
import { existingSpecOf, host } from "../support/stacks";

let folder: string;
const engine = jest.spyOn(settings, "getEngine");
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "k3s-artefacts-"));
  engine.mockReturnValue({} as never);
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const sum = (text: string): string => createHash("sha256").update(text).digest("hex");

/** A stack of both architectures; every file is to hold its own name. */
function plan(): ExistingClusterPlan {
  const artefact = (name: string): object => ({ path: join(folder, name), sha256: sum(name) });
  const files = (arch: string): object => ({
    binary: artefact(`k3s-${arch}`),
    images: artefact(`images-${arch}`),
  });
  const airGap = { installScript: artefact("install.sh"), amd64: files("amd64"), arm64: files("arm64") };
  return createPlan(
    existingSpecOf({
      k3s: { airGap },
      nodes: [host("server", 1), host("agent", 1), host("agent", 2, { arch: "arm64" })],
    }),
  );
}
const NAMES = ["install.sh", "k3s-amd64", "images-amd64", "k3s-arm64", "images-arm64"];

test("files that are as the stack says are no matter", async () => {
  for (const name of NAMES) writeFileSync(join(folder, name), name);
  expect(await wrongArtefacts(plan())).toEqual([]);
});

test("whatever is wrong, each once, at its place in the stack file", async () => {
  for (const name of NAMES.slice(0, 3)) writeFileSync(join(folder, name), name);
  writeFileSync(join(folder, "images-amd64"), "something else");
  mkdirSync(join(folder, "k3s-arm64"));
  expect(await wrongArtefacts(plan())).toEqual([
    {
      at: "k3s.airGap.amd64.images",
      file: join(folder, "images-amd64"),
      said: sum("images-amd64"),
      found: { sha256: sum("something else") },
    },
    {
      at: "k3s.airGap.arm64.binary",
      file: join(folder, "k3s-arm64"),
      said: sum("k3s-arm64"),
      found: { reason: "is a folder" },
    },
    {
      at: "k3s.airGap.arm64.images",
      file: join(folder, "images-arm64"),
      said: sum("images-arm64"),
      found: { reason: "is not there" },
    },
  ]);
});

test("a review, which has no engine, reads no file", async () => {
  engine.mockReturnValue(undefined);
  expect(await wrongArtefacts(plan())).toEqual([]);
});
