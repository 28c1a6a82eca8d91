/** How paths and values appear in problems. Secrets never do. */

type Path = readonly PropertyKey[];

const LONGEST = 60;

/** Settings whose values are secret, wherever they stand. */
const SECRET_KEYS: ReadonlySet<string> = new Set(["privateKey", "password"]);
/** What looks like a secret in a place where none belongs. */
const SECRET_TEXT = /PRIVATE KEY|password|passphrase|secret|token/i;
const SECRET_NAME = /private-?_?key|passw|passphrase|secret|token/i;

/** Whether a path leads to, or through, a secret setting or one that was probably meant as one. */
export function isSecretPath(path: Path): boolean {
  return path.some(
    (part) =>
      typeof part === "string" && (SECRET_KEYS.has(part) || SECRET_NAME.test(part)) && part !== "secretsEncryption",
  );
}

/** Whether a path leads to one of the settings that hold secrets, and may thus be encrypted in the stack file. */
export function isSecretSetting(path: Path): boolean {
  const text = formatPath(path);
  return /^access\.ssh\.(bastion\.)?privateKey$|^loadBalancer\.bgp\.peers\[\d+\]\.password$/.test(text);
}

/** `nodes[1].count`; a key that is not a plain word stands in brackets: `labels["example.com/rack"]`. */
export function formatPath(path: Path): string {
  const text = path.reduce<string>((before, part) => {
    if (typeof part === "number") return `${before}[${part}]`;
    const name = String(part);
    if (!/^[A-Za-z_][\w-]*$/.test(name)) return `${before}[${JSON.stringify(name)}]`;
    return before === "" ? name : `${before}.${name}`;
  }, "");
  return text === "" ? "config" : text === "region" ? "aws:region" : text;
}

/** A value for a message: text in quotes, shortened; lists and mappings by kind; never anything that looks secret. */
export function show(value: unknown, path: Path = []): string {
  if (isSecretPath(path)) return "not shown";
  if (typeof value === "string") {
    if (SECRET_TEXT.test(value)) return "not shown";
    return JSON.stringify(value.length > LONGEST ? `${value.slice(0, LONGEST)}…` : value);
  }
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "a mapping";
  return String(value);
}

/** `a, b or c`. */
export function either(words: readonly string[]): string {
  if (words.length < 2) return words.join("");
  return `${words.slice(0, -1).join(", ")} or ${words.at(-1) ?? ""}`;
}
