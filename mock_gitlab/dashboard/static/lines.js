// Draw what needs what: a line from each job to those that wait for it by name.

import { h } from "./dom.js";

/** Draw the lines of a graph over its cards. */
export function drawLines(graph) {
  const cards = new Map([...graph.querySelectorAll("[data-name]")].map((card) => [card.dataset.name, card]));
  const lines = [];
  for (const card of cards.values()) {
    for (const name of JSON.parse(card.dataset.needs)) {
      if (cards.has(name)) lines.push(h("path", { d: path(graph, cards.get(name), card) }));
    }
  }
  graph.querySelector("svg.lines")?.remove();
  if (!lines.length) return;
  const size = { width: graph.scrollWidth, height: graph.scrollHeight };
  graph.append(h("svg", { class: "lines", "aria-hidden": "true", ...size }, lines));
}

function path(graph, from, to) {
  const [a, b] = [spot(graph, from, 1), spot(graph, to, 0)];
  if (b.x < a.x) return beside(spot(graph, from, 0), b);
  const bend = Math.max(18, Math.abs(b.x - a.x) / 2);
  return `M${a.x} ${a.y}C${a.x + bend} ${a.y} ${b.x - bend} ${b.y} ${b.x} ${b.y}`;
}

/** Within a stage a line runs along the left edge of the cards. */
function beside(a, b) {
  const x = Math.min(a.x, b.x) - 8;
  return `M${a.x} ${a.y}C${x} ${a.y} ${x} ${a.y} ${x} ${a.y + 8}L${x} ${b.y - 8}C${x} ${b.y} ${x} ${b.y} ${b.x} ${b.y}`;
}

/** Return the middle of a card's left (0) or right (1) edge, as seen from the graph. */
function spot(graph, card, side) {
  const [outer, inner] = [graph.getBoundingClientRect(), card.getBoundingClientRect()];
  return {
    x: Math.round(inner.left - outer.left + graph.scrollLeft + side * inner.width),
    y: Math.round(inner.top - outer.top + inner.height / 2),
  };
}
