// Build elements. What comes from clients is set as text, and never read as HTML.

const SVG = "http://www.w3.org/2000/svg";
const SVG_TAGS = new Set(["svg", "path", "circle", "line", "rect", "g"]);

/** Make an element. Functions in `attributes` are listeners, and `style` is a map of properties. */
export function h(tag, attributes = {}, ...children) {
  const element = SVG_TAGS.has(tag) ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name, value);
    else if (name === "style") for (const [key, set] of Object.entries(value)) element.style.setProperty(key, set);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return element;
}

/** Replace what a region shows, and keep the focus on the element with the same `data-key`. */
export function show(region, ...children) {
  const key = region.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  const open = new Set([...region.querySelectorAll("details[open][data-key]")].map((each) => each.dataset.key));
  const scrolled = [...region.querySelectorAll("[data-scroll]")].map((each) => [each.dataset.scroll, each.scrollTop]);
  region.replaceChildren(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  for (const each of region.querySelectorAll("details[data-key]")) if (open.has(each.dataset.key)) each.open = true;
  for (const [name, top] of scrolled) {
    const again = region.querySelector(`[data-scroll="${CSS.escape(name)}"]`);
    if (again) again.scrollTop = top;
  }
  if (key) region.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus({ preventScroll: true });
}

const SHAPES = {
  success: "M4.5 8.2 7 10.7l4.5-5",
  failed: "M5.3 5.3l5.4 5.4M10.7 5.3l-5.4 5.4",
  running: "M8 4.2A3.8 3.8 0 0 1 8 11.8Z",
  pending: "M6.3 5.2v5.6M9.7 5.2v5.6",
  canceled: "M4.6 11.4l6.8-6.8",
  canceling: "M4.6 11.4l6.8-6.8",
  skipped: "M5.2 5.2 8 8l-2.8 2.8M8.6 5.2 11.4 8l-2.8 2.8",
  manual: "M6.4 5v6l4.6-3Z",
  scheduled: "M8 4.8V8l2.4 1.6",
  created: "M8 7.9v.2",
  warning: "M8 4.6v4M8 10.9v.2",
};

/** Draw the icon of a status; the word stands beside it, or is its label. */
export function icon(status) {
  const shape = SHAPES[status] ?? SHAPES.pending;
  return h(
    "svg",
    { class: `icon s-${status}`, viewBox: "0 0 16 16", "aria-hidden": "true", focusable: "false" },
    h("circle", { cx: 8, cy: 8, r: 6.7 }),
    h("path", { d: shape }),
  );
}
