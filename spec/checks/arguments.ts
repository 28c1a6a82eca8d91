/** Further K3s options: well-formed, and none that the program sets itself. Their values are never shown: they may be secret. */
import { valueAt } from "../config";
import { isSecretOption, isServerOnly, ownedOption } from "../k3s-options";
import type { Problem } from "../problems";
import type { Target } from "../schema";
import { legacyProblem } from "../unknown-keys";
import { legacyFlag } from "../unsupported";
import { problem, type Check } from "./context";

const FORM = /^--([a-z][a-z0-9-]*)(?:=([^\r\n]*))?$/;
const LISTS = ["extraServerArgs", "extraAgentArgs"] as const;

/** `--name` as far as it can be told apart from a value. */
function optionName(text: string): string {
  return text.trim().split(/[\s=]/)[0] ?? "";
}

function malformed(path: string, text: string): Problem {
  const shown = JSON.stringify(optionName(text).slice(0, 40));
  const spaced = /^--[a-z][a-z0-9-]*\s+\S/.test(text);
  const message = `is not an option (it begins ${shown}); allowed: --name or --name=value`;
  return problem(
    "invalid-argument",
    path,
    message,
    spaced ? `write ${optionName(text)}=value` : "write it with two hyphens, and = before the value",
  );
}

function argument(path: string, text: string, list: (typeof LISTS)[number], target: Target): Problem[] {
  const match = FORM.exec(text);
  if (match === null) return [malformed(path, text)];
  const [, name = "", value = ""] = match;
  if (isSecretOption(name)) {
    const message = `holds a secret, which would stand in the clear in config.yaml (--${name}, value not shown); allowed: options without secrets`;
    return [
      problem("secret-argument", path, message, "keep it in a Kubernetes Secret and give --etcd-s3-config-secret"),
    ];
  }
  const instead = ownedOption(name, value, target);
  if (instead !== undefined) {
    const inner = name.endsWith("-arg") ? `=${value.split("=")[0] ?? ""}` : "";
    return [
      problem(
        "owned-argument",
        path,
        `is an option that the program sets (--${name}${inner}); allowed: other options`,
        `remove it: ${instead}`,
      ),
    ];
  }
  if (list === "extraAgentArgs" && isServerOnly(name)) {
    const message = `is an option of servers (--${name}); allowed: options that agents take`;
    return [problem("server-only-argument", path, message, "move it to k3s.extraServerArgs")];
  }
  return [];
}

export const checkArguments: Check = ({ parsed }) =>
  LISTS.flatMap((list) =>
    parsed.k3s[list].flatMap((text, index) =>
      legacyFlag(optionName(text)) === undefined ? argument(`k3s.${list}[${index}]`, text, list, parsed.target) : [],
    ),
  );

/** Legacy flags among the further options, in whatever form; also of a stack whose shape is wrong elsewhere. */
export function legacyArguments(raw: unknown): Problem[] {
  return LISTS.flatMap((list) => {
    const written = valueAt(raw, ["k3s", list]);
    if (!Array.isArray(written)) return [];
    return written.flatMap((text: unknown, index) => {
      if (typeof text !== "string") return [];
      const name = optionName(text);
      const flag = legacyFlag(name);
      if (flag === undefined) return [];
      return [legacyProblem(`k3s.${list}[${index}]`, flag, raw, text.trim().slice(name.length + 1))];
    });
  });
}
