import { bundleFigures } from "./bundle.js";
import { engineFigures } from "./engines.js";
import { entryFigures } from "./entries.js";
import type { Figure } from "./figure.js";
import { growthFigures } from "./growth.js";
import { hostileFigures } from "./hostile.js";
import { importFigures } from "./import.js";
import { judgingFigures } from "./judging.js";
import { peerFigures } from "./peers/figures.js";
import { roomSizeFigures } from "./room-size.js";
import { writingFigures } from "./writing.js";

export const figures: readonly Figure[] = [
  ...judgingFigures,
  ...engineFigures,
  ...writingFigures,
  ...entryFigures,
  ...roomSizeFigures,
  ...hostileFigures,
  ...importFigures,
  ...bundleFigures,
  ...peerFigures,
  ...growthFigures,
];
