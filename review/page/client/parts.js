// Small parts that every view uses: sections, badges, lists of names, documents, and regions that scroll by themselves.

/**
 * @typedef {import("../types").PageData} PageData
 * @typedef {import("../../facts/types").ReviewFacts} ReviewFacts
 * @typedef {import("../../facts/types").PeerFact} PeerFact
 * @typedef {import("../../facts/types").FlowFact} FlowFact
 * @typedef {import("../../facts/types").RuleFact} RuleFact
 * @typedef {import("../../facts/types").Topology} Topology
 * @typedef {import("../../facts/types").TopologyBox} TopologyBox
 * @typedef {import("../../facts/types").TopologyLink} TopologyLink
 * @typedef {import("../../difference/types").Difference} Difference
 * @typedef {import("../../difference/types").ReachChange} ReachChange
 */

/** @type {PageData} */
const data = readData();

/** Names shown before the others are folded away. */
const NAMES_SHOWN = 12;

/**
 * @param {number} number
 * @param {string} noun
 */
function counted(number, noun) {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}

/** @param {Child[]} children */
function mono(...children) {
  return html("span", { class: "mono" }, ...children);
}

/** Words up to this length are kept on one line, hyphens or not. */
const WHOLE = 28;

/**
 * Text whose words are not broken at their hyphens: names and port ranges are read as one.
 * @param {string} text
 */
function wholeWords(text) {
  const parts = text.split(/(\s+)/u).map((word) => {
    return word.includes("-") && word.length <= WHOLE ? html("span", { class: "whole" }, word) : word;
  });
  return html("span", {}, ...parts);
}

/** Ports in words. @param {string} words */
function portsText(words) {
  const text = wholeWords(words);
  text.className = "mono ports";
  return text;
}

/**
 * Text for screen readers alone.
 * @param {string} text
 */
function hidden(text) {
  return html("span", { class: "hidden" }, text);
}

/**
 * A word in a frame. Its colour says nothing that the word does not say.
 * @param {string} text
 * @param {"plain" | "alert" | "good" | "warn" | "accent"} tone
 */
function badge(text, tone = "plain") {
  return html("span", { class: `badge ${tone}` }, text);
}

function worldBadge() {
  return badge("open to the world", "alert");
}

/**
 * Names, the first of them in sight and the rest behind a click.
 * @param {readonly string[]} names
 * @param {string} noun
 */
function nameList(names, noun) {
  if (names.length <= NAMES_SHOWN) return mono(wholeWords(names.join(", ")));
  return html(
    "details",
    { class: "names" },
    html("summary", {}, mono(names.slice(0, 4).join(", ")), ` and ${counted(names.length - 4, `more ${noun}`)}`),
    mono(names.join(", ")),
  );
}

/**
 * A document's title, as a link where it is on the web.
 * @param {import("../../../catalogue/documents").DocumentId} id
 */
function documentLink(id) {
  const known = data.documents[id];
  if (known === undefined) return html("span", {}, id);
  const { title, url } = known;
  if (url === undefined) return html("span", {}, title);
  if (!url.startsWith("https://")) return html("span", {}, `${title} (${url})`);
  return html("a", { href: url, rel: "noreferrer", target: "_blank" }, title, hidden(" (opens in a new tab)"));
}

/** @param {RuleFact["documents"]} ids */
function documentList(ids) {
  if (ids.length === 0) return html("span", { class: "muted" }, "no document");
  return html("ul", { class: "plain" }, ...ids.map((id) => html("li", {}, documentLink(id))));
}

/**
 * A section with its heading; `id` is where links lead.
 * @param {string} id
 * @param {string} title
 * @param {Child[]} children
 */
function section(id, title, ...children) {
  const heading = html("h3", { id: `${id}-title`, tabindex: -1 }, title);
  return html("section", { id, class: "section", "aria-labelledby": heading.id }, heading, ...children);
}

/** Regions that scroll take the focus only while there is something to scroll. */
const scrolling = new ResizeObserver((entries) => {
  const regions = new Set(entries.map(({ target }) => target.closest(".scroll")));
  for (const region of regions) if (region instanceof HTMLElement) markScrolling(region);
});

/** @param {HTMLElement} region */
function markScrolling(region) {
  const scrolls = region.scrollWidth > region.clientWidth + 1 || region.scrollHeight > region.clientHeight + 1;
  region.classList.toggle("scrolls", scrolls);
  for (const [name, value] of [
    ["tabindex", "0"],
    ["role", "region"],
    ["aria-label", region.dataset["label"] ?? ""],
  ]) {
    if (scrolls) region.setAttribute(name ?? "", value ?? "");
    else region.removeAttribute(name ?? "");
  }
}

/**
 * A region that scrolls by itself when its content is wider than the page.
 * @param {string} label
 * @param {Element} content
 */
function scrollRegion(label, content) {
  const region = html("div", { class: "scroll", "data-label": label }, content);
  scrolling.observe(region);
  scrolling.observe(content);
  return region;
}

/**
 * Text as it stands, line by line.
 * @param {string} label
 * @param {string} text
 */
function codeBlock(label, text) {
  return scrollRegion(label, html("pre", {}, html("code", {}, text)));
}

/** @param {Child[]} children */
function note(...children) {
  return html("p", { class: "muted note" }, ...children);
}
