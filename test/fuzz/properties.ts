import { authEventProperties } from "./auth-events.js";
import { engineProperties } from "./engines.js";
import { orderProperties } from "./order.js";
import type { FuzzProperty } from "./property.js";
import { redactionProperties } from "./redaction.js";
import { signatureProperties } from "./signatures.js";
import { totalityProperties } from "./totality.js";

export const properties: readonly FuzzProperty[] = [
  ...totalityProperties,
  ...orderProperties,
  ...redactionProperties,
  ...signatureProperties,
  ...engineProperties,
  ...authEventProperties,
];
