import { bundleFigures } from "./bundle.js";
import { endToEndFigures } from "./end-to-end.js";
import { engineFigures } from "./engines.js";
import { entryFigures } from "./entries.js";
import type { Figure } from "./figure.js";
import { growthFigures } from "./growth.js";
import { hostileFigures } from "./hostile.js";
import { importFigures } from "./import.js";
import { judgingFigures } from "./judging.js";
import { peerFigures } from "./peers/figures.js";
import { queueFigures } from "./queue.js";
import { roomSizeFigures } from "./room-size.js";
import { writingFigures } from "./writing.js";

export const figures: readonly Figure[] = [
  ...judgingFigures,
  ...engineFigures,
  ...writingFigures,
  ...entryFigures,
  ...roomSizeFigures,
  ...endToEndFigures,
  ...queueFigures,
  ...hostileFigures,
  ...importFigures,
  ...bundleFigures,
  ...peerFigures,
  ...growthFigures,
];
