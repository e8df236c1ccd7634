import { isLeft } from "fp-ts/lib/Either.js";
import { parseServerName, parseUserId } from "../../matrix/ids.js";
import { parseThreepid } from "../../threepid/threepid.js";
import { withAccessToken } from "./accounts.js";
import { associate } from "./bind.js";
import { type Answer, handle } from "./core.js";
import { claim, emptyQueue, enqueue, nextDueAt, postpone, send, settle } from "./delivery.js";
import type { Effect, Mail } from "./effects.js";
import type { EmbeddedIdentityServer, IdentityServerOptions } from "./embedded.js";
import { readRequest, toResponse } from "./http.js";
import { longTermKey } from "./keys.js";
import type { IdentityRequest, OpenIdAnswer, OpenIdToken } from "./request.js";
import { emptyState, newPepper, newSigningKey, withPepper } from "./state.js";

const misused = (what: string): TypeError => new TypeError(`Embedded identity server: ${what}`);

/**
 * Makes an identity server for tests and demonstrations: all of the identity service API v2 that invites touch, in
 * memory, with the habits of real servers where the specification is silent. Throws
 * a `TypeError` if `serverName` is no server name or `baseUrl` no URL.
 *
 * @example
 * const identityServer = createIdentityServer({ serverName: "is.example.org", baseUrl: "https://is.example.org" });
 * const token = identityServer.account("@alice:example.org");
 * const response = await identityServer.handle(
 *   new Request("https://is.example.org/_matrix/identity/v2/store-invite", {
 *     method: "POST",
 *     headers: { authorization: `Bearer ${token}` },
 *     body: JSON.stringify({
 *       medium: "email",
 *       address: "zoe@example.org",
 *       room_id: "!room:example.org",
 *       sender: "@alice:example.org",
 *     }),
 *   }),
 * );
 * identityServer.outbox[0]; // { kind: "invite", address: "zoe@example.org", token: "…", privateKey: "…", … }
 */
export const createIdentityServer = (options: IdentityServerOptions): EmbeddedIdentityServer => {
  const serverName = parseServerName(options.serverName);
  if (isLeft(serverName)) throw misused(`serverName: ${serverName.left.why}`);
  if (!URL.canParse(options.baseUrl)) throw misused("baseUrl must be a URL.");
  const random = options.random ?? ((bytes) => crypto.getRandomValues(new Uint8Array(bytes)));
  const now = (): number => Math.floor((options.now ?? Date.now)());
  const resolveOpenId = options.resolveOpenId ?? (({ accessToken }) => accessToken);
  const sender = {
    method: options.onbindMethod ?? "POST",
    homeserverUrl: options.homeserverUrl ?? ((name: string) => `https://${name}`),
    fetch: options.fetch ?? ((url: string, init: RequestInit) => fetch(url, init)),
  };

  let state = emptyState(serverName.right, options.baseUrl.replace(/\/+$/, ""), random);
  let queue = emptyQueue;
  const outbox: Mail[] = [];

  const perform = (effects: readonly Effect[], at: number): void => {
    for (const effect of effects)
      switch (effect._tag) {
        case "SendMail":
          outbox.push(effect.mail);
          break;
        case "DeliverOnbind":
          queue = enqueue(queue, effect.onbind, at);
          break;
      }
  };

  const ask = async (openId: OpenIdToken): Promise<OpenIdAnswer> => {
    try {
      const userId = await resolveOpenId(openId);
      return userId === undefined ? { _tag: "NoSubject" } : { _tag: "Subject", userId };
    } catch {
      return { _tag: "Unreachable" };
    }
  };

  const answer = async (request: IdentityRequest): Promise<Answer> => {
    const outcome = handle(state, request, random);
    if (outcome._tag === "AskHomeserver") return answer({ ...request, openId: await ask(outcome.openId) });
    // No await stands between reading the state and writing it.
    state = outcome.state;
    perform(outcome.effects, request.now);
    return outcome;
  };

  return {
    serverName: serverName.right,
    get publicKey() {
      return longTermKey(state);
    },
    outbox,
    handle: async (request) => toResponse(await answer(await readRequest(request, now))),
    account: (userId) => {
      const user = parseUserId(userId);
      if (isLeft(user)) throw misused(`account: ${user.left.why}`);
      const [token, next] = withAccessToken(state, user.right, random);
      state = next;
      return token;
    },
    bindDirectly: ({ medium, address }, mxid) => {
      const threepid = parseThreepid(medium, address);
      if (isLeft(threepid)) throw misused(`bindDirectly: ${threepid.left._tag}`);
      const user = parseUserId(mxid);
      if (isLeft(user)) throw misused(`bindDirectly: ${user.left.why}`);
      const at = now();
      const bound = associate(state, threepid.right, user.right, at);
      if (isLeft(bound)) throw misused(`bindDirectly: ${bound.left.error}`);
      state = bound.right.state;
      perform(bound.right.effects, at);
      return bound.right.body;
    },
    deliverDue: async () => {
      const [claimed, marked] = claim(queue, now());
      queue = marked;
      let delivered = 0;
      for (const { id, onbind } of claimed) {
        const taken = await send(sender, onbind);
        queue = taken ? settle(queue, id) : postpone(queue, id, now());
        if (taken) delivered += 1;
      }
      const next = nextDueAt(queue);
      return {
        delivered,
        waiting: queue.deliveries.length,
        ...(next === undefined ? {} : { nextDueAt: next }),
      };
    },
    rotateKey: (seed = random(32)) => {
      if (seed.length !== 32) throw misused("rotateKey: a seed has 32 bytes.");
      state = { ...state, key: newSigningKey(seed) };
      return longTermKey(state);
    },
    rotatePepper: (pepper = newPepper(random)) => {
      state = withPepper(state, pepper);
      return pepper;
    },
    requireTerms: (on = true) => {
      state = { ...state, requireTerms: on };
    },
    rateLimit: (on = true) => {
      state = { ...state, rateLimit: on };
    },
  };
};
