/**
 * Reference tokens: how a value that only exists after creation travels through the program.
 *
 * A token is a short text of private-use characters around a number. It passes through interpolation, JSON and YAML like any
 * text, and is turned back into `{ref, output}` wherever it arrives.
 */
import type { EncodedTemplate, Reference, Template } from "./document";

const OPEN = "\uE000";
const CLOSE = "\uE001";
const TOKEN = new RegExp(`${OPEN}(\\d+)${CLOSE}`, "u");
const PIECES = new RegExp(`(${OPEN}\\d+${CLOSE})`, "u");
const MARKS = new RegExp(`[${OPEN}${CLOSE}]`, "u");
/** Long enough to hold a token, and whole base64 quanta. */
const BASE64 = /^(?:[A-Za-z0-9+/]{4}){2,}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$/u;

/** Hands out tokens and reads them back. */
export class TokenTable {
  readonly #references: Reference[] = [];
  readonly #tokens = new Map<string, Map<string, string>>();

  /** The token of an output: the same one each time. */
  token(ref: string, output: string): string {
    let outputs = this.#tokens.get(ref);
    if (outputs === undefined) {
      outputs = new Map();
      this.#tokens.set(ref, outputs);
    }
    let token = outputs.get(output);
    if (token === undefined) {
      token = `${OPEN}${this.#references.length}${CLOSE}`;
      this.#references.push({ ref, output });
      outputs.set(output, token);
    }
    return token;
  }

  /**
   * A text as it stands in a document: itself, a reference when it is one token, a template when tokens are inside, and
   * the same decoded for a text in base64.
   *
   * @throws Error when a piece of a token is in it: the program cut or changed a value that it cannot know.
   */
  decode(text: string): string | Reference | Template | EncodedTemplate {
    if (MARKS.test(text)) return this.#decodePlain(text);
    if (BASE64.test(text)) {
      const decoded = Buffer.from(text, "base64").toString("utf8");
      if (MARKS.test(decoded)) return { base64: this.#decodePlain(decoded) };
    }
    return text;
  }

  /** A text with its references written as `${URN.output}`, for labels. */
  describe(text: string): string {
    const decoded = this.decode(text);
    if (typeof decoded === "string") return decoded;
    const plain = "base64" in decoded ? decoded.base64 : decoded;
    const pieces = "template" in plain ? plain.template : [plain];
    return pieces.map((piece) => (typeof piece === "string" ? piece : `\${${piece.ref}.${piece.output}}`)).join("");
  }

  #decodePlain(text: string): Reference | Template {
    const pieces = text
      .split(PIECES)
      .filter((piece) => piece !== "")
      .map((piece) => this.#piece(piece));
    const [only] = pieces;
    if (pieces.length === 1 && only !== undefined && typeof only !== "string") return only;
    return { template: pieces };
  }

  #piece(piece: string): string | Reference {
    const index = TOKEN.exec(piece)?.[1];
    const reference = index === undefined ? undefined : this.#references[Number(index)];
    if (reference !== undefined) return reference;
    if (MARKS.test(piece)) {
      throw new Error(
        `holds a piece of a value that only exists after creation (${JSON.stringify(piece)}); it can be passed on whole or inside a text, not cut or changed`,
      );
    }
    return piece;
  }
}
