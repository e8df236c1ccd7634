import { createHash } from "node:crypto";
import { type EmbeddedIdentityServer, createIdentityServer } from "matrix-third-party-invites/testing";
import type { Fetch } from "matrix-third-party-invites/http";

/** Something that was done with the identity server. */
export type Deed =
  | {
      readonly _tag: "Request";
      readonly at: number;
      readonly method: string;
      readonly url: string;
      readonly authorization: string;
      readonly body: string;
    }
  | { readonly _tag: "Account"; readonly at: number; readonly userId: string }
  | { readonly _tag: "Bind"; readonly at: number; readonly address: string; readonly userId: string }
  | { readonly _tag: "Deliver"; readonly at: number };

const repeat = async (server: EmbeddedIdentityServer, deed: Deed): Promise<void> => {
  switch (deed._tag) {
    case "Request": {
      const { method, url, authorization, body } = deed;
      const headers = { authorization, "content-type": "application/json" };
      await server.handle(new Request(url, { method, headers, ...(body === "" ? {} : { body }) }));
      return;
    }
    case "Account":
      server.account(deed.userId);
      return;
    case "Bind":
      server.bindDirectly({ medium: "email", address: deed.address }, deed.userId);
      return;
    case "Deliver":
      await server.deliverDue();
  }
};

/**
 * The library's identity server for tests keeps everything in memory. With chance and time given, it comes to the same
 * state again when the same is done with it again: so what was done in earlier runs is `deeds`, to which this run adds.
 */
export const openIdentityServer = async (
  serverName: string,
  { seed, deeds, fetch }: { readonly seed: string; readonly deeds: Deed[]; readonly fetch: Fetch },
): Promise<EmbeddedIdentityServer> => {
  let drawn = 0;
  let past: number | undefined;
  const server = createIdentityServer({
    serverName,
    // What key validity URLs begin with. Only the address book knows that plain HTTP on a loopback port is behind it.
    baseUrl: `https://${serverName}`,
    now: () => past ?? Date.now(),
    random: (bytes) => {
      const blocks: Buffer[] = [];
      for (let length = 0; length < bytes; length += 32) {
        drawn += 1;
        blocks.push(createHash("sha256").update(`${seed} ${drawn}`).digest());
      }
      return new Uint8Array(Buffer.concat(blocks).subarray(0, bytes));
    },
    // What was delivered in an earlier run is not sent again.
    fetch: (url, init) => (past === undefined ? fetch(url, init) : Promise.resolve(Response.json({}))),
  });
  for (const deed of [...deeds]) {
    past = deed.at;
    await repeat(server, deed);
  }
  past = undefined;

  const note = (deed: Deed): void => void deeds.push(deed);
  const own: Partial<EmbeddedIdentityServer> = {
    handle: async (request) => {
      const [{ method, url }, body] = [request, await request.clone().text()];
      const authorization = request.headers.get("authorization") ?? "";
      note({ _tag: "Request", at: Date.now(), method, url, authorization, body });
      return server.handle(request);
    },
    account: (userId) => {
      note({ _tag: "Account", at: Date.now(), userId });
      return server.account(userId);
    },
    bindDirectly: ({ medium, address }, userId) => {
      note({ _tag: "Bind", at: Date.now(), address, userId });
      return server.bindDirectly({ medium, address }, userId);
    },
    deliverDue: () => {
      note({ _tag: "Deliver", at: Date.now() });
      return server.deliverDue();
    },
  };
  // Its other members are read where they are: `publicKey` changes.
  return Object.assign(Object.create(server) as EmbeddedIdentityServer, own);
};
