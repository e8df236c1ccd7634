import { createThirdPartyInvites } from "matrix-third-party-invites";
import type { Observation } from "matrix-third-party-invites/ports";
import { alice, inviteByMail, ports } from "../world.js";

// Yours: pino's `logger.info`, and `add` of a counter and `record` of a histogram of OpenTelemetry.
const log = (fields: object, message: string) => {
  console.log(message, Object.keys(fields).join(", "));
};
const count = (name: string, attributes: object) => {
  console.log("count", name, attributes);
};
const record = (name: string, milliseconds: number) => {
  console.log("record", name, milliseconds < 60_000);
};

const observe = ({ _tag, ...fields }: Observation) => {
  log(fields, _tag);
  count("third_party_invites", { _tag, ...("code" in fields ? { code: fields.code } : {}) });
};

const timed =
  <Args extends readonly unknown[], Answer>(name: string, call: (...args: Args) => Promise<Answer>) =>
  async (...args: Args): Promise<Answer> => {
    const began = performance.now();
    try {
      return await call(...args);
    } finally {
      record(name, performance.now() - began);
    }
  };

const { storeInvite } = ports.identityServer;
const identityServer = {
  ...ports.identityServer,
  storeInvite: timed("identityServer.storeInvite", storeInvite),
};
const invites = createThirdPartyInvites({ ...ports, identityServer, observe });
await inviteByMail(alice, "zoe@example.org", invites);
