/** A host's clock beside the operator's. etcd and certificates bear little difference. */
import type { CheckRow } from "./report";

/** Seconds of difference above which the doctor warns, and above which it fails. */
const BOUNDS = { warn: 5, fail: 60 } as const;

/** When the operator's machine sent the check, and when the answer was there, in seconds since 1970. */
export interface Window {
  readonly sent: number;
  readonly received: number;
}

/**
 * Seconds that the clocks differ by at least; positive where the host is ahead. The host read its clock somewhere in the window, and
 * gives whole seconds: what the window and that second can explain is no difference.
 */
export function skewOf(clock: number, { sent, received }: Window): number {
  if (clock > received) return clock - received;
  const end = clock + 1;
  return end < sent ? end - sent : 0;
}

/** The row of a host's clock. */
export function clockRow(clock: number, window: Window): CheckRow {
  const skew = skewOf(clock, window);
  const size = Math.abs(skew);
  const check = "clock-skew";
  if (size <= BOUNDS.warn) {
    return { check, result: "ok", detail: `within ${BOUNDS.warn} s of this machine's clock`, remedy: "" };
  }
  return {
    check,
    result: size > BOUNDS.fail ? "fail" : "warn",
    detail: `${size.toFixed(0)} s ${skew > 0 ? "ahead of" : "behind"} this machine's clock; allowed: ${BOUNDS.warn} s`,
    remedy: "have the host keep time by NTP; where all hosts differ alike, it is this machine's clock",
  };
}
