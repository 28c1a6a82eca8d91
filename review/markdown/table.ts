/** Tables in GitHub's Markdown. */

/** A cell as it may stand in a row: no line ends in it, and no pipe, which would end it even within code. */
function inRow(markdown: string): string {
  return markdown.replace(/\s*\n\s*/gu, " ").replaceAll("|", "\\|");
}

const row = (cells: readonly string[]): string => `| ${cells.map(inRow).join(" | ")} |`;

/** A table. Heads and cells are Markdown (`md`, `code`), whose pipes are not escaped: that is done here. A row has as many cells as there are heads. */
export function mdTable(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  for (const cells of rows) {
    if (cells.length !== heads.length) {
      throw new Error(`a row of ${cells.length} cells in a table of ${heads.length} columns: ${cells.join(", ")}`);
    }
  }
  return [row(heads), row(heads.map(() => "---")), ...rows.map(row)].join("\n");
}
