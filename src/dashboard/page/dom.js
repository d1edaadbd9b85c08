// Elements from texts, and nothing from markup: whatever a sender wrote stays text. `morph` brings what stands in the page up to
// date with a fresh element, so that focus, selection and scrolling survive an update.

const SVG = "http://www.w3.org/2000/svg";

/** An element: `h("a", { href: "#/" }, "text", child)`. `null` and `undefined` are left out. */
export function h(name, attributes, ...children) {
  return fill(document.createElement(name), attributes, children);
}

/** An SVG element. */
export function svg(name, attributes, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value));
  }
  for (const child of children.flat(Infinity)) {
    if (child !== null && child !== undefined && child !== false) element.append(child);
  }
  return element;
}

/**
 * Makes `old` equal to `fresh`. What is inside of `data-keep` is somebody else's and stays. What has a `data-key` stays the element
 * that it is while others come before it, go, or change places with it.
 */
export function morph(old, fresh) {
  sameAttributes(old, fresh);
  if (fresh.hasAttribute("data-keep")) return;
  const wanted = [...fresh.childNodes];
  const keyed = new Map();
  const others = [];
  for (const node of old.childNodes) {
    if (key(node) === undefined) others.push(node);
    else keyed.set(key(node), node);
  }
  place(old, wanted.map((node) => {
    const there = key(node) === undefined ? others.shift() : keyed.get(key(node));
    keyed.delete(key(node));
    if (!there || !alike(there, node)) return node;
    update(there, node);
    return there;
  }));
}

/** Makes these the children. What is moved loses focus and selection: the one that holds them stays, and others move around it. */
function place(parent, children) {
  const there = [...parent.childNodes];
  if (there.length === children.length && there.every((node, at) => node === children[at])) return;
  const wanted = new Set(children);
  for (const node of there) if (!wanted.has(node)) node.remove();
  const held = [document.activeElement, getSelection().anchorNode].map((at) => children.find((child) => child.contains(at))).find(Boolean);
  let next = parent.firstChild;
  for (const child of children) {
    if (child === held) while (next !== held) next = aside(next);
    if (child === next) next = next.nextSibling;
    else parent.insertBefore(child, next);
  }
}

/** Puts a node last; the one after it. */
function aside(node) {
  const after = node.nextSibling;
  node.parentNode.append(node);
  return after;
}

function update(old, fresh) {
  if (fresh.nodeType !== Node.TEXT_NODE) morph(old, fresh);
  else if (old.data !== fresh.data) old.data = fresh.data;
}

const key = (node) => node?.dataset?.key;

function alike(one, other) {
  return one.nodeType === other.nodeType && one.nodeName === other.nodeName
    && one.dataset?.keep === other.dataset?.keep && key(one) === key(other);
}

function sameAttributes(old, fresh) {
  for (const { name } of [...old.attributes]) {
    // What a reader has opened stays open.
    if (!fresh.hasAttribute(name) && name !== "open") old.removeAttribute(name);
  }
  for (const { name, value } of [...fresh.attributes]) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
}
