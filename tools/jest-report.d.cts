/** How many tests of a jest run passed, failed and were skipped, by its report; `endedWell`: whether its exit code was 0. */
export function readCounts(
  file: string,
  endedWell: boolean,
): { readonly passed: number; readonly failed: number; readonly skipped: number };
