/** What a K3s release is made of, as the lab has it: for who downloads it, and for who has the files already. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";

/** A file of a release. */
export interface ReleaseFile {
  readonly content: Buffer;
  /** SHA-256, in hexadecimal digits. */
  readonly sha256: string;
}

export interface Release {
  readonly binary: ReleaseFile;
  readonly installScript: ReleaseFile;
  /** An archive of container images, or what looks like one: no containers run in the lab. */
  readonly images: ReleaseFile;
}

/** How a file begins that zstd has packed. */
const ZSTD = [0x28, 0xb5, 0x2f, 0xfd];

function releaseFile(content: Buffer): ReleaseFile {
  return { content, sha256: createHash("sha256").update(content).digest("hex") };
}

/** K3s's binary of a release: it starts the stand-in. */
export function launcher(version: string): string {
  return `#!/bin/sh
exec /usr/local/lib/lab/node /usr/local/lib/lab/k3s/main.js --lab-version '${version}' "$@"
`;
}

/** The files of a release. @param guest the folder of what is put on hosts. */
export function release(version: string, guest: string = path.join(__dirname, "guest")): Release {
  return {
    binary: releaseFile(Buffer.from(launcher(version))),
    installScript: releaseFile(readFileSync(path.join(guest, "install.sh"))),
    images: releaseFile(Buffer.concat([Buffer.from(ZSTD), Buffer.from(`images of K3s ${version}`)])),
  };
}
