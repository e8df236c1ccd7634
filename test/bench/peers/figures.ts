import type { Figure } from "../figure.js";
import { canonicalFigures } from "./canonical.js";
import { eventIdFigures } from "./event-id.js";
import { signatureFigures } from "./signature.js";

/** Our time over that of what somebody would take instead, with whether they and we are right. */
export const peerFigures: readonly Figure[] = [...canonicalFigures, ...eventIdFigures, ...signatureFigures];
