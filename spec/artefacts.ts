/** Files that K3s is installed from without the internet. */
import type { Problem } from "./problems";
import type { ParsedExisting } from "./schema";
import type { AirGapSpec, ArtefactSpec, ArtefactsSpec } from "./types";

type ParsedAirGap = NonNullable<ParsedExisting["k3s"]["airGap"]>;
type ParsedArtefact = ParsedAirGap["installScript"];
type ParsedArtefacts = NonNullable<ParsedAirGap["amd64"]>;

function artefactSpec({ path, url, sha256 }: ParsedArtefact): ArtefactSpec {
  return path === undefined ? { kind: "url", url: url ?? "", sha256 } : { kind: "path", path, sha256 };
}

function artefactsSpec({ binary, images }: ParsedArtefacts): ArtefactsSpec {
  return { binary: artefactSpec(binary), images: artefactSpec(images) };
}

/** The files of a stack that passed the checks. */
export function airGapSpec({ installScript, amd64, arm64 }: ParsedAirGap): AirGapSpec {
  return {
    installScript: artefactSpec(installScript),
    ...(amd64 === undefined ? {} : { amd64: artefactsSpec(amd64) }),
    ...(arm64 === undefined ? {} : { arm64: artefactsSpec(arm64) }),
  };
}

/** Every artefact of an air gap with its place in the stack file: `k3s.airGap.amd64.images`. */
export function artefactsByPath<T>(airGap: {
  readonly installScript: T;
  readonly amd64?: { readonly binary: T; readonly images: T } | undefined;
  readonly arm64?: { readonly binary: T; readonly images: T } | undefined;
}): readonly (readonly [path: string, artefact: T])[] {
  const ofArch = (["amd64", "arm64"] as const).flatMap((arch) => {
    const files = airGap[arch];
    if (files === undefined) return [];
    return [[`k3s.airGap.${arch}.binary`, files.binary] as const, [`k3s.airGap.${arch}.images`, files.images] as const];
  });
  return [["k3s.airGap.installScript", airGap.installScript] as const, ...ofArch];
}

/**
 * An `artefact-missing` for a file that cannot be read on the operator's machine.
 *
 * @param at The artefact's place in the stack file, such as `k3s.airGap.amd64.images`.
 * @param file The file as the stack says it.
 * @param reason Why not: `is not there`, `is a folder`, `cannot be read (EACCES)`.
 */
export function artefactMissing(at: string, file: string, reason: string): Problem {
  return {
    code: "artefact-missing",
    path: `${at}.path`,
    message: `${reason} (${JSON.stringify(file)}); allowed: a file on this machine, relative to the project's folder or absolute`,
    remedy: "fetch it from the K3s release, correct the path, or give a url that the hosts reach",
  };
}

/** An `artefact-mismatch` for a file whose SHA-256 is not the one that the stack says. */
export function artefactMismatch(at: string, file: string, said: string, found: string): Problem {
  return {
    code: "artefact-mismatch",
    path: `${at}.sha256`,
    message: `is not the SHA-256 of the file (${JSON.stringify(said)}, and ${JSON.stringify(file)} has ${found}); allowed: that of the file as released`,
    remedy: "fetch the file again, or compare with the release's sha256sum file and correct it",
  };
}
