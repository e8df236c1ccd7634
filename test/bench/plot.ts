import type { Finding } from "./report.js";
import { type Panel, drawing } from "./svg.js";

const labels: Readonly<Record<string, Omit<Panel, "points">>> = {
  "growth.pairs": { title: "Judging an invite", xLabel: "pairs of signature and key, none matching" },
  "growth.entries": { title: "Receiving an onbind", xLabel: "entries" },
  "growth.roomSize": { title: "Inviting by address: the whole request", xLabel: "members of the room" },
  "growth.eventSize": { title: "Writing canonical JSON", xLabel: "size of the event in KB" },
};

/** How the time for one grows with how many there are. */
export const plotOf = (figures: Readonly<Record<string, Finding>>): string =>
  drawing(
    "How the time for each pair, entry, request and KB grows with their number",
    Object.entries(figures).flatMap(([name, { points }]) => {
      const label = labels[name];
      return label === undefined || points === undefined ? [] : [{ ...label, points }];
    }),
  );
