import type { Point } from "./figure.js";

/** A curve: the time for one of something, at each size over that at the smallest. */
export interface Panel {
  readonly title: string;
  readonly xLabel: string;
  readonly points: readonly Point[];
}

const panelWidth = 400;
const panelHeight = 260;
const left = 58;
const right = 18;
const top = 40;
const bottom = 50;
const innerWidth = panelWidth - left - right;
const innerHeight = panelHeight - top - bottom;

const escaped = (text: string): string => text.replace(/[&<>]/g, (found) => `&#${found.charCodeAt(0)};`);

const at = (value: number): string => value.toFixed(1);

const text = (x: number, y: number, content: string, more = ""): string =>
  `<text x="${at(x)}" y="${at(y)}" ${more}>${escaped(content)}</text>`;

const line = (x1: number, y1: number, x2: number, y2: number, kind: string): string =>
  `<line class="${kind}" x1="${at(x1)}" y1="${at(y1)}" x2="${at(x2)}" y2="${at(y2)}"/>`;

/** The size on a logarithmic scale, the ratio on a linear one that begins at 0. */
const drawPanel = ({ title, xLabel, points }: Panel): string => {
  const sizes = points.map(({ size }) => Math.log(size));
  const [first, last] = [Math.min(...sizes), Math.max(...sizes)];
  const most = Math.max(1.5, Math.ceil(Math.max(...points.map(({ high }) => high)) * 2) / 2);
  const x = (size: number): number => left + ((Math.log(size) - first) / (last - first)) * innerWidth;
  const y = (value: number): number => top + innerHeight - (value / most) * innerHeight;
  const step = most > 2 ? 1 : 0.5;
  const ticks = Array.from({ length: Math.floor(most / step) + 1 }, (_, n) => n * step);
  return [
    text(left, 22, title, 'class="title"'),
    ...ticks.flatMap((tick) => [
      line(left, y(tick), left + innerWidth, y(tick), tick === 1 ? "even" : "grid"),
      text(left - 8, y(tick) + 4, String(tick), 'text-anchor="end"'),
    ]),
    line(left, top, left, top + innerHeight, "axis"),
    line(left, top + innerHeight, left + innerWidth, top + innerHeight, "axis"),
    ...points.flatMap(({ size, low, high }) => [
      text(x(size), top + innerHeight + 17, size.toLocaleString("en"), 'text-anchor="middle"'),
      line(x(size), y(low), x(size), y(high), "spread"),
    ]),
    `<polyline points="${points.map(({ size, value }) => `${at(x(size))},${at(y(value))}`).join(" ")}"/>`,
    ...points.map(({ size, value }) => `<circle cx="${at(x(size))}" cy="${at(y(value))}" r="3.5"/>`),
    text(left + innerWidth / 2, panelHeight - 12, xLabel, 'text-anchor="middle"'),
    text(
      0,
      0,
      "time for each, over the smallest",
      `text-anchor="middle" transform="translate(16 ${top + innerHeight / 2}) rotate(-90)"`,
    ),
  ].join("\n");
};

const style = `
text { font: 12px system-ui, sans-serif; fill: #333 }
.title { font-size: 14px; font-weight: 600 }
.axis { stroke: #555 } .grid { stroke: #ddd } .even { stroke: #888; stroke-dasharray: 4 3 }
.spread { stroke: #0969da; stroke-width: 1.5; opacity: .6 }
polyline { fill: none; stroke: #0969da; stroke-width: 2 } circle { fill: #0969da }
.paper { fill: #fff }
@media (prefers-color-scheme: dark) {
  text { fill: #ccc } .axis { stroke: #999 } .grid { stroke: #333 } .even { stroke: #888 }
  .spread, polyline { stroke: #58a6ff } circle { fill: #58a6ff } .paper { fill: #0d1117 }
}`;

/** The panels, two in a row, as one SVG that is readable on light and dark pages. */
export const drawing = (title: string, panels: readonly Panel[]): string => {
  const columns = Math.min(2, panels.length);
  // The last number of an axis is wider than the axis.
  const width = columns * panelWidth + 24;
  const height = Math.ceil(panels.length / columns) * panelHeight;
  const placed = panels.map((panel, n) => {
    const [dx, dy] = [(n % columns) * panelWidth, Math.floor(n / columns) * panelHeight];
    return `<g transform="translate(${dx} ${dy})">\n${drawPanel(panel)}\n</g>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<style>${style}\n</style>`,
    `<rect class="paper" width="${width}" height="${height}"/>`,
    ...placed,
    "</svg>",
    "",
  ].join("\n");
};
