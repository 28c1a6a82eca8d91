// Elements of the page. Whatever comes from a stack goes in as text or as the value of a known attribute: nothing reads markup.

/**
 * @typedef {Node | string | number | null | undefined | false} Child
 * @typedef {string | number | boolean | undefined | ((event: any) => void)} AttributeValue
 * @typedef {Readonly<Record<string, AttributeValue>>} Attributes
 */

const SVG_NAMESPACE = "http://www.w3.org/2000/svg";

/**
 * Sets attributes (true: without a value; false and undefined: not at all), and listeners by names such as `onclick`.
 * @param {Element} target
 * @param {Attributes} attributes
 */
function setAttributes(target, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") target.addEventListener(name.slice("on".length), value);
    else if (value === true) target.setAttribute(name, "");
    else if (value !== false && value !== undefined) target.setAttribute(name, String(value));
  }
}

/**
 * Puts children in; numbers and strings become text.
 * @template {Element} Target
 * @param {Target} target
 * @param {readonly Child[]} children
 * @returns {Target}
 */
function fill(target, children) {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    target.append(typeof child === "object" ? child : String(child));
  }
  return target;
}

/**
 * An HTML element.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Attributes} attributes
 * @param {Child[]} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
function html(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  setAttributes(element, attributes);
  return fill(element, children);
}

/**
 * An SVG element.
 * @template {keyof SVGElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Attributes} attributes
 * @param {Child[]} children
 * @returns {SVGElementTagNameMap[Tag]}
 */
function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG_NAMESPACE, tag);
  setAttributes(element, attributes);
  return fill(element, children);
}

/**
 * Puts new children in the place of all others.
 * @param {Element} target
 * @param {Child[]} children
 */
function refill(target, ...children) {
  target.replaceChildren();
  fill(target, children);
}

let lastId = 0;

/** @returns {string} an id that no other element of the page has */
function freshId() {
  lastId += 1;
  return `id-${lastId}`;
}

/** @returns {any} what the page shows (PageData), as embedded */
function readData() {
  return JSON.parse(document.getElementById("data")?.textContent ?? "{}");
}
