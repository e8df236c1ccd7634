import { inviteKey } from "matrix-third-party-invites/decisions";
import {
  isJsonObject,
  member,
  parseRoomId,
  parseServerName,
  parseThreepid,
  parseUserId,
  stringMember,
} from "matrix-third-party-invites/matrix";
import type { IdentityServer, IdentityServerError } from "matrix-third-party-invites/ports";
import { stall, strikes } from "./faults.js";
import { placeOf } from "./ledger.js";
import { type Reply, sure } from "./identity.js";
import { crypto } from "./keys.js";
import { type Flow, addressKey } from "./server.js";
import type { World } from "./world.js";

const v2 = "/_matrix/identity/v2";

const unreachable = { _tag: "Unreachable", sent: false } as const;
const silent = { _tag: "Unreachable", sent: true, timedOut: true } as const;

const errorOf = ({ status, body }: Reply): IdentityServerError => {
  const errcode = stringMember(body, "errcode") ?? "M_UNKNOWN";
  if (status === 401) return { _tag: "Unauthorized" };
  if (status === 429) return { _tag: "RateLimited" };
  return { _tag: "Rejected", errcode, status };
};

/** What stands instead of an answer: the request never came through. */
const errorInstead = (world: World): IdentityServerError | undefined => {
  const { chance, faults } = world;
  if (strikes(faults, chance, faults.identityServer.down)) return unreachable;
  if (!strikes(faults, chance, faults.identityServer.error)) return undefined;
  return chance.pick<IdentityServerError>([
    { _tag: "Unauthorized" },
    { _tag: "TermsNotSigned" },
    { _tag: "RateLimited", retryAfterMs: 4_000 },
    { _tag: "Rejected", errcode: "M_UNKNOWN", status: 500 },
    { _tag: "Rejected", errcode: "M_INVALID_EMAIL", status: 400 },
  ]);
};

const isLost = ({ faults, chance }: World): boolean =>
  strikes(faults, chance, faults.identityServer.answerLost);

/** The storage key of what a store-invite request is for. */
export const inviteNameOf = (flow: Flow, idServer: string, invite: object): string => {
  const threepid = sure(parseThreepid(member(invite, "medium"), member(invite, "address")));
  const of = {
    roomId: sure(parseRoomId(member(invite, "room_id"))),
    sender: sure(parseUserId(member(invite, "sender"))),
    idServer: sure(parseServerName(idServer)),
    threepid,
  };
  return `${flow.server.name} ${inviteKey(crypto, addressKey, of)}`;
};

/** Answers that a careless, or a hostile, identity server gives; the mail is out all the same. */
const spoiled = (world: World, reply: Reply, address: string): Reply => {
  const { chance, faults, ledger } = world;
  const with_ = (more: object): Reply => ({ ...reply, body: { ...reply.body, ...more } });
  if (strikes(faults, chance, faults.identityServer.careless))
    return with_({
      display_name: chance.pick([address, address.toUpperCase(), `<${address}>`, "", " ", 7, undefined]),
    });
  if (!strikes(faults, chance, faults.identityServer.hostile)) return reply;
  return chance.pick([
    () => with_({ token: "no token at all" }),
    () => with_({ public_keys: [] }),
    () => with_({ public_keys: [{ public_key: "AAAA", key_validity_url: "http://plain.example/" }] }),
    () => with_({ token: chance.pick([...[...ledger.given.values()].map(({ token }) => token), "tok"]) }),
  ])();
};

/** The identity server as a port of one flow; only here does an address leave a homeserver. */
export const identityPort = (world: World, flow: Flow): IdentityServer => {
  const { identity, scheduler, chance, faults, ledger } = world;
  const answer = (method: string, path: string, token: string | undefined, body: unknown): Reply =>
    identity.serve(method, path, token, body, scheduler.now);

  const store = (user: string, invite: object, name: string): Reply => {
    const address = stringMember(invite, "address") ?? "";
    const threepid = sure(parseThreepid("email", address));
    const roomId = sure(parseRoomId(member(invite, "room_id")));
    const reply = identity.storeInvite(user, threepid, roomId);
    if (reply.status !== 200) return reply;
    if (ledger.given.has(placeOf({ roomId, token: stringMember(reply.body, "token") ?? "" })))
      ledger.met.add("a token that is given again");
    const given = spoiled(world, reply, address);
    const tokens = [stringMember(reply.body, "token"), stringMember(given.body, "token")];
    for (const token of tokens)
      if (token !== undefined) ledger.tokenGiven({ token, invite: name, roomId, sender: user }, flow.id);
    return given;
  };

  return {
    hashDetails: (access) => {
      const error = errorInstead(world);
      if (error !== undefined) return Promise.resolve(error);
      const reply = answer("GET", `${v2}/hash_details`, access.accessToken, undefined);
      if (reply.status !== 200) return Promise.resolve(errorOf(reply));
      const pepper = stringMember(reply.body, "lookup_pepper") ?? "";
      return Promise.resolve({ _tag: "HashDetails", pepper, algorithms: ["sha256", "none"] });
    },
    lookup: ({ accessToken, algorithm, pepper, addresses }) => {
      const error = errorInstead(world);
      if (error !== undefined) return Promise.resolve(error);
      const reply = answer("POST", `${v2}/lookup`, accessToken, { algorithm, pepper, addresses });
      if (stringMember(reply.body, "errcode") === "M_INVALID_PEPPER")
        return Promise.resolve({ _tag: "InvalidPepper" });
      if (reply.status !== 200) return Promise.resolve(errorOf(reply));
      const mappings = member(reply.body, "mappings");
      const found = Object.entries(isJsonObject(mappings) ? mappings : {});
      return Promise.resolve({
        _tag: "Mappings",
        userIds: new Map(found.map(([asked, user]) => [asked, String(user)])),
      });
    },
    storeInvite: ({ idServer, invite }) => {
      const error = errorInstead(world);
      if (error !== undefined) return Promise.resolve(error);
      const name = inviteNameOf(flow, idServer, invite);
      if (strikes(faults, chance, faults.identityServer.late)) {
        scheduler.after(stall(chance), () => store(invite.sender, invite, name));
        return Promise.resolve(silent);
      }
      const reply = store(invite.sender, invite, name);
      // A mail server may have taken the mail before whatever failed.
      if (isLost(world)) {
        const instead = chance.pick<IdentityServerError>([
          silent,
          silent,
          silent,
          { _tag: "Malformed" },
          { _tag: "Rejected", errcode: "M_UNKNOWN", status: chance.pick([200, 400, 500]) },
          {
            _tag: "Rejected",
            errcode: "M_EMAIL_SEND_ERROR",
            status: chance.pick([200, 408, 500, 502, 503, 504]),
          },
        ]);
        if (instead._tag === "Rejected") ledger.met.add("an error after the mail");
        return Promise.resolve(instead);
      }
      if (reply.status === 200) return Promise.resolve({ _tag: "Stored", answer: reply.body });
      return Promise.resolve(
        stringMember(reply.body, "errcode") === "M_THREEPID_IN_USE"
          ? { _tag: "AlreadyBound", userId: member(reply.body, "mxid") }
          : errorOf(reply),
      );
    },
    keyValidity: (url) => {
      const error = errorInstead(world);
      if (error !== undefined) return Promise.resolve(error);
      const path = url.slice(url.indexOf("/", "https://".length));
      const reply = answer("GET", path, undefined, undefined);
      return Promise.resolve(
        reply.status === 200
          ? { _tag: "Validity", valid: member(reply.body, "valid") === true }
          : errorOf(reply),
      );
    },
  };
};
