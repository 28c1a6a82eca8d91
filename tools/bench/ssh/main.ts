/** One part of `npm run bench:ssh`, in the namespaces that the command made for it. */
import { joins } from "./joins";
import { lab } from "./lab";

const PARTS: Readonly<Record<string, () => Promise<void>>> = { joins, lab };

async function main(name = ""): Promise<void> {
  const part = PARTS[name];
  if (part === undefined) throw new Error(`there is no part ${name}`);
  await part();
}

main(process.argv[2]).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 1;
});
