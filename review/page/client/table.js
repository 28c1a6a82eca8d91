// Tables: with a filter where they are long, and with the rows that do not fit into a glance behind a button.

/** Rows that a table shows at once, and from how many on it gets a filter. */
const ROWS_SHOWN = 150;
const ROWS_FILTERED = 15;

/**
 * A row: its cells, the first of which is its heading, and the words that a filter looks through.
 * @typedef {{ cells: readonly Child[], search: string, key?: string }} Row
 * @typedef {{ caption: string, heads: readonly string[], rows: readonly Row[], className?: string }} TableContent
 * @typedef {{ element: HTMLElement, reveal: (key: string) => void }} TableView
 */

/** @param {Child} cell */
function cellWords(cell) {
  return cell instanceof Node ? (cell.textContent ?? "") : String(cell);
}

/**
 * A row of texts.
 * @param {readonly string[]} texts
 * @returns {Row}
 */
function textRow(texts) {
  return { cells: texts.map(wholeWords), search: texts.join(" ").toLowerCase() };
}

/**
 * A row of any cells; the filter looks through what they say.
 * @param {readonly Child[]} cells
 * @param {string} [key]
 * @returns {Row}
 */
function cellRow(cells, key) {
  const search = cells.map(cellWords).join(" ").toLowerCase();
  return key === undefined ? { cells, search } : { cells, search, key };
}

/** @param {string} text @returns {(haystack: string) => boolean} whether every word of the text is in there */
function wordFilter(text) {
  const words = text.toLowerCase().split(/\s+/u).filter(Boolean);
  return (haystack) => words.every((word) => haystack.includes(word));
}

/** @param {Row} row */
function tableRow({ cells, key }) {
  const [first, ...others] = cells;
  const element = html("tr", {}, html("th", { scope: "row" }, first), ...others.map((cell) => html("td", {}, cell)));
  if (key !== undefined) {
    element.dataset["key"] = key;
    element.tabIndex = -1;
  }
  return element;
}

/**
 * A table without filter or button.
 * @param {TableContent} content
 */
function plainTable({ caption, heads, rows, className }) {
  const table = html(
    "table",
    { class: className },
    html("caption", { class: "hidden" }, caption),
    html("thead", {}, html("tr", {}, ...heads.map((head) => html("th", { scope: "col" }, head)))),
    html("tbody", {}, ...rows.map(tableRow)),
  );
  return scrollRegion(`${caption}, table`, table);
}

/**
 * A field to filter by words, with its label.
 * @param {string} label
 * @param {() => void} changed
 */
function filterField(label, changed) {
  const input = html("input", { type: "search", autocomplete: "off", spellcheck: "false", oninput: changed });
  return { input, field: html("label", { class: "field" }, html("span", {}, label), input) };
}

/**
 * A table of any length. `reveal` brings a row into sight, filtered out or not, and puts the focus on it.
 * @param {TableContent} content
 * @returns {TableView}
 */
function dataTable(content) {
  const { caption, rows } = content;
  let limit = ROWS_SHOWN;
  const region = plainTable({ ...content, rows: [] });
  const body = /** @type {HTMLTableSectionElement} */ (region.querySelector("tbody"));
  const status = html("p", { class: "muted note", role: "status" });
  const more = html("button", { type: "button", onclick: () => ((limit = Infinity), show()) });
  const { input, field } = filterField(`Filter ${caption.toLowerCase()}`, () => {
    limit = ROWS_SHOWN;
    show();
  });
  function show() {
    const matches = wordFilter(input.value);
    const found = rows.filter(({ search }) => matches(search));
    body.replaceChildren(...found.slice(0, limit).map(tableRow));
    status.textContent = input.value === "" ? "" : `${found.length} of ${counted(rows.length, "row")}`;
    more.hidden = found.length <= limit;
    more.textContent = `Show all ${counted(found.length, "row")}`;
  }
  show();
  return {
    element: html(
      "div",
      { class: "table" },
      rows.length >= ROWS_FILTERED && html("div", { class: "filters" }, field, status),
      region,
      more,
    ),
    reveal(key) {
      input.value = "";
      limit = Infinity;
      show();
      const row = [...body.rows].find(({ dataset }) => dataset["key"] === key);
      row?.scrollIntoView({ block: "center" });
      row?.focus({ preventScroll: true });
    },
  };
}
