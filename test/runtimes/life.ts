import { createThirdPartyInvites } from "matrix-third-party-invites";
import { membershipOf } from "matrix-third-party-invites/judge";
import { identityServerClient, inviteEndpoint, onBindEndpoint } from "matrix-third-party-invites/http";
import { createIdentityServer, memoryClock, memoryPorts } from "matrix-third-party-invites/testing";
import type { Answer, Engine } from "../conformance/case.js";

const homeserver = "https://hs.example";
const [alice, zoe] = ["@alice:hs.example", "@zoe:hs.example"];

/** Bytes that look random and are the same everywhere, so that tokens, keys and event IDs are. */
const seeded = (): ((length: number) => Uint8Array) => {
  let state = 1;
  return (length) =>
    Uint8Array.from({ length }, () => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return state >>> 24;
    });
};

/**
 * One invite by mail, from the client's request to the invite that the mail's owner finds: the flows, the ports in memory, the
 * embedded identity server and the endpoints, over this runtime's own `Request`, `Response` and streams.
 */
export const lifeAnswers = async ({ crypto, signingKey }: Engine): Promise<readonly Answer[]> => {
  const random = seeded();
  const clock = memoryClock();
  const identity = createIdentityServer({
    serverName: "id.example",
    baseUrl: "https://id.example",
    random,
    now: clock.now,
    fetch: (url, init) => onBind(new Request(url, init)),
    homeserverUrl: () => homeserver,
  });
  const identityServer = identityServerClient({
    fetch: (url, init) => identity.handle(new Request(url, init)),
  });
  const ports = memoryPorts({
    crypto,
    serverName: "hs.example",
    key: signingKey("ed25519:1", random(32)),
    identityServer,
    clock,
    users: new Map([alice, zoe].map((userId) => [userId, {}])),
  });
  const invites = createThirdPartyInvites(ports);
  const onBind = onBindEndpoint(invites);
  const invite = inviteEndpoint(invites, {
    authenticate: () => ({ _tag: "User", requester: { userId: alice } }),
  });
  const roomId = ports.memory.create({ version: "12", creator: alice });
  const path = `${homeserver}/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/invite`;
  const post = async (body: string): Promise<unknown> => {
    const headers = { "content-type": "application/json" };
    const response = await invite(new Request(path, { method: "POST", headers, body }));
    const answered = (await response.json()) as { readonly errcode?: unknown };
    return [response.status, answered.errcode ?? null];
  };
  const threepid = { medium: "email", address: "zoe@mail.example" };
  const body = { ...threepid, id_server: "id.example", id_access_token: identity.account(alice) };

  const malformed = await post('{"medium": "email", "medium": "msisdn"}');
  const invited = await post(JSON.stringify(body));
  identity.bindDirectly(threepid, zoe);
  const { delivered } = await identity.deliverDue();
  const redeemed = await invites.deliverOwed();
  const membership = membershipOf(ports.memory.state(roomId), zoe);
  // Whatever they are: the same everywhere.
  const eventIds = ports.memory.timeline(roomId).map(({ eventId }) => eventId);
  return [
    { question: "a key twice", expected: [400, "M_BAD_JSON"], said: malformed },
    { question: "the request", expected: [200, null], said: invited },
    { question: "mails", expected: 1, said: identity.outbox.length },
    { question: "onbinds", expected: 1, said: delivered },
    { question: "deliverOwed", expected: "Right", said: redeemed._tag },
    { question: "membership", expected: "invite", said: membership },
    { question: "event IDs", expected: eventIds, said: eventIds },
  ];
};
