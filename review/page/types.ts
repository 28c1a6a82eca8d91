/** What the page is made of: `index.ts` embeds it, and the script in `client/` reads it. */
import type { DocumentId } from "../../catalogue/documents";
import type { Difference } from "../difference/types";
import type { ReviewFacts } from "../facts/types";

/** What the page shows: stacks, and differences, which come first. Either may be empty. */
export interface PageDocument {
  readonly facts: readonly ReviewFacts[];
  readonly differences: readonly Difference[];
}

/** What is embedded in the page: the document, and the titles and places of the documents that it names. */
export interface PageData extends PageDocument {
  /** Of each difference, whether its verdict is a loud one. */
  readonly loud: readonly boolean[];
  readonly documents: Readonly<Partial<Record<DocumentId, { readonly title: string; readonly url?: string }>>>;
}
