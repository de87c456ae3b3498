// Read the log of a job: colours of ANSI become classes, and what moves the cursor is left out.

const COLOURS = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];
// eslint-disable-next-line no-control-regex
const CONTROL = /\x1b\[([\d;]*)([A-Za-z])|section_(?:start|end):\d+:[^\r\n]*\r?|\r(?!\n)/g;

function apply(style, codes) {
  for (const code of codes.length ? codes : [0]) {
    if (code === 0) Object.assign(style, { bold: false, colour: null });
    else if (code === 1) style.bold = true;
    else if (code === 22) style.bold = false;
    else if (code === 39) style.colour = null;
    else if (code >= 30 && code <= 37) style.colour = COLOURS[code - 30];
    else if (code >= 90 && code <= 97) style.colour = COLOURS[code - 90];
  }
}

/** Split a log into pieces of text with their classes. */
export function pieces(text) {
  const found = [];
  const style = { bold: false, colour: null };
  const add = (part) => {
    if (!part) return;
    const classes = [style.bold ? "bold" : "", style.colour ? `c-${style.colour}` : ""].filter(Boolean).join(" ");
    found.push({ text: part, classes });
  };
  let from = 0;
  for (const match of text.matchAll(CONTROL)) {
    add(text.slice(from, match.index));
    from = match.index + match[0].length;
    if (match[2] === "m") apply(style, match[1].split(";").filter(Boolean).map(Number));
  }
  add(text.slice(from));
  return found;
}
