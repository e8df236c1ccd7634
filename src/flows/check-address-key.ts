import { isLeft } from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { addressKeyMark } from "../invite/invite-life.js";
import { parseServerName } from "../matrix/ids.js";
import { refusal } from "../refusal.js";
import { defineFlow } from "./flow.js";
import { asList, callPort } from "./steps/call-port.js";
import type { Step } from "./steps/step.js";

/** Whether the key was seen before; the first call of all notes it. */
type Checked = "Same" | "Noted";

export const checkAddressKey = defineFlow(
  "crypto",
  "invites",
)((context): Step<Checked> => {
  const { config, crypto } = context.ports;
  const serverName = parseServerName(config.serverName);
  // The constructor has read it.
  if (isLeft(serverName)) return TE.left(refusal("FieldMalformed", { detail: "config.serverName" }));
  const mark = addressKeyMark(crypto, config.addressKey, serverName.right);
  return pipe(
    callPort(context, "invites", "list", { by: { roomId: mark.roomId } }).read(asList),
    TE.flatMap((found): Step<Checked> => {
      if (found.some(({ value }) => value.key === mark.key)) return TE.right("Same");
      if (found.length > 0) return TE.left(refusal("AddressKeyChanged"));
      return pipe(
        callPort(context, "invites", "putIfAbsent", mark).answer,
        TE.map(() => "Noted"),
      );
    }),
  );
});
