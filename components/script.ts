import { readFileSync } from "node:fs";
import { join } from "node:path";

const texts = new Map<string, string>();

/**
 * The text of a script in `components/scripts`, as it stands in the file: commands are never put together from strings, and their data
 * comes on standard input. Read once.
 */
export function readScript(name: string): string {
  const known = texts.get(name);
  if (known !== undefined) return known;
  const text = readFileSync(join(__dirname, "scripts", name), "utf8");
  texts.set(name, text);
  return text;
}
