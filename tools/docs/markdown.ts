/** Markdown of the generated sections. */
import { DOCUMENTS, type DocumentId } from "../../catalogue/documents";

export type Row = readonly string[];

export function table(heads: Row, rows: readonly Row[]): string {
  const line = (cells: Row): string => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(heads), line(heads.map(() => "---")), ...rows.map(line)].join("\n");
}

/** Documents by title, with a link where they are on the web. */
export function documents(ids: readonly DocumentId[]): string {
  return ids
    .map((id) => {
      const { title, url } = DOCUMENTS[id];
      return url === undefined ? title : `[${title}](${url})`;
    })
    .join("; ");
}
