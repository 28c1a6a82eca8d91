/** IAM's query API, as far as the program needs it: a form that is posted, and XML. */
import { ApiError } from "./errors";

const VERSION = "2010-05-08";
/** Which of its services the simulated API is asked, as a signature's scope says it. The signature itself is not looked at. */
const AUTHORIZATION =
  "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=0";

const ENTITIES: Readonly<Record<string, string>> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };

function plain(xml: string): string {
  return xml
    .replace(/&#(\d+);/gu, (_, code: string) => String.fromCodePoint(Number(code)))
    .replace(/&(lt|gt|quot|apos|amp);/gu, (_, name: string) => ENTITIES[name] ?? "");
}

/** Contents of the elements of a name, as XML. */
export function elements(xml: string, name: string): string[] {
  return [...xml.matchAll(new RegExp(`<${name}>([\\s\\S]*?)</${name}>`, "gu"))].map(([, inner = ""]) => inner);
}

/** The text of the first element of a name. */
export function element(xml: string, name: string): string | undefined {
  const [first] = elements(xml, name);
  return first === undefined ? undefined : plain(first.trim());
}

/** Calls of IAM. */
export interface Iam {
  /** @returns the answer's XML */
  call(action: string, parameters: Readonly<Record<string, string>>): Promise<string>;
}

/** IAM at an endpoint. */
export function iamAt(endpoint: string): Iam {
  return {
    async call(action, parameters) {
      const response = await fetch(endpoint, {
        method: "POST",
        headers: { Authorization: AUTHORIZATION },
        body: new URLSearchParams({ Action: action, Version: VERSION, ...parameters }),
      });
      const xml = await response.text();
      if (response.ok) return xml;
      throw new ApiError(element(xml, "Code") ?? `Http${response.status}`, element(xml, "Message") ?? xml);
    },
  };
}
