/** Reads what `check.sh` prints: lines of words between tabs. */
import type { CheckRow, FoundAddress } from "./report";

/** What a host said. */
export interface CheckOutput {
  readonly checks: readonly CheckRow[];
  readonly addresses: readonly FoundAddress[];
  /** Seconds since 1970 by the host's clock. */
  readonly clock?: number;
}

/** A host's text with nothing in it that a terminal would obey. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, " ").trim();
}

/** Reads it. Lines of another form, such as what a login shell says on its own, are left out. */
export function readCheckOutput(stdout: string): CheckOutput {
  const checks: CheckRow[] = [];
  const addresses: FoundAddress[] = [];
  let clock: number | undefined;
  for (const line of stdout.split("\n")) {
    const [kind = "", ...words] = line.split("\t").map(printable);
    const [first = "", second = "", third = ""] = words;
    if (words.length === 0 || first === "") continue;
    switch (kind) {
      case "ok":
      case "warn":
      case "fail":
        checks.push({ check: first, result: kind, detail: second, remedy: third });
        break;
      case "address":
        addresses.push({ network: first, address: second, interface: third });
        break;
      case "clock":
        if (/^\d+$/u.test(first)) clock = Number(first);
        break;
    }
  }
  return { checks, addresses, ...(clock === undefined ? {} : { clock }) };
}
