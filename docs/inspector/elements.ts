/** An element of the page that must be there. */
export const byId = <E extends HTMLElement>(id: string, kind: new () => E): E => {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`The page has no ${id}.`);
  return found;
};

/**
 * A new element. Whatever is put into it is put as text: what stands in events is a stranger's, and the page forbids
 * itself to read markup at all.
 */
export const element = (
  name: string,
  attributes: Readonly<Record<string, string>>,
  ...children: readonly (Node | string)[]
): HTMLElement => {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
};

const svg = "http://www.w3.org/2000/svg";

/** A drawing of one line, which says nothing that is not written beside it. */
export const drawing = (path: string): SVGElement => {
  const made = document.createElementNS(svg, "svg");
  made.setAttribute("viewBox", "0 0 12 12");
  made.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(svg, "path");
  line.setAttribute("d", path);
  made.append(line);
  return made;
};
