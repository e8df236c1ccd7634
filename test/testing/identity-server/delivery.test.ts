import { describe, expect, it } from "vitest";
import { member } from "../../../src/matrix/json.js";
import { aWorld, address, anInvite, bob, isSigned, post, textAt, zoe } from "./world.js";

interface Received {
  readonly url: string;
  readonly method: string;
  readonly body: unknown;
}

/** A homeserver that answers with these statuses in turn, and then with the last of them; 0 is no answer. */
const homeserver = (...statuses: readonly number[]) => {
  const received: Received[] = [];
  const answer = async (url: string, init: RequestInit): Promise<Response> => {
    const request = new Request(url, init);
    const status = statuses[Math.min(received.length, statuses.length - 1)] ?? 200;
    received.push({ url, method: request.method, body: await request.json() });
    if (status === 0) throw new Error("connection refused");
    return new Response(status === 204 || status === 304 ? null : "{}", { status });
  };
  return { received, fetch: answer };
};

describe("an onbind", () => {
  it("goes to the homeserver of the user, with all that was signed", async () => {
    const { received, fetch } = homeserver(200);
    const { server, tokens, clock } = aWorld({ fetch });
    await post(server, "store-invite", tokens.alice, anInvite());
    const association = server.bindDirectly({ medium: "email", address }, zoe);
    expect(received).toEqual([]);
    expect(await server.deliverDue()).toEqual({ delivered: 1, waiting: 0 });
    expect(received).toEqual([
      {
        url: "https://elsewhere.example/_matrix/federation/v1/3pid/onbind",
        method: "POST",
        body: association,
      },
    ]);
    const body = received[0]?.body;
    expect(isSigned(body, server.publicKey)).toBe(true);
    expect([member(body, "invites")].flat()).toHaveLength(1);
    expect(textAt(body, "invites", 0, "signed", "mxid")).toBe(zoe);
    clock.at += 1_000_000;
    expect(await server.deliverDue()).toEqual({ delivered: 0, waiting: 0 });
  });

  it("goes as PUT to a known URL when told to", async () => {
    const { received, fetch } = homeserver(200);
    const { server } = aWorld({
      fetch,
      onbindMethod: "PUT",
      homeserverUrl: (name) => `http://127.0.0.1:8008/${name}/`,
    });
    server.bindDirectly({ medium: "email", address }, zoe);
    await server.deliverDue();
    expect(received).toMatchObject([
      {
        url: "http://127.0.0.1:8008/elsewhere.example/_matrix/federation/v1/3pid/onbind",
        method: "PUT",
      },
    ]);
    expect(received[0]?.body).not.toHaveProperty("invites");
  });

  it.each([500, 502, 404, 403, 302, 204, 201, 0])("is repeated after %i, until it is 200", async (status) => {
    const { received, fetch } = homeserver(status, 200);
    const { server, clock } = aWorld({ fetch });
    server.bindDirectly({ medium: "email", address }, zoe);
    const at = clock.at;
    expect(await server.deliverDue()).toEqual({ delivered: 0, waiting: 1, nextDueAt: at + 1000 });
    clock.at = at + 1000;
    expect(await server.deliverDue()).toEqual({ delivered: 1, waiting: 0 });
    expect(received[0]).toEqual(received[1]);
  });

  it("is repeated after 1, 2, 4, 8 … seconds", async () => {
    const { received, fetch } = homeserver(502);
    const { server, clock } = aWorld({ fetch });
    server.bindDirectly({ medium: "email", address }, zoe);
    const pauses: number[] = [];
    for (let attempt = 0; attempt < 6; attempt += 1) {
      const { nextDueAt = Number.NaN } = await server.deliverDue();
      pauses.push((nextDueAt - clock.at) / 1000);
      clock.at = nextDueAt - 1;
      expect(await server.deliverDue()).toEqual({ delivered: 0, waiting: 1, nextDueAt });
      clock.at = nextDueAt;
    }
    expect(pauses).toEqual([1, 2, 4, 8, 16, 32]);
    expect(received).toHaveLength(6);
  });

  it("has all of 100 invites in one body", async () => {
    const { received, fetch } = homeserver(200);
    const { server, tokens } = aWorld({ fetch });
    for (let count = 0; count < 100; count += 1) await post(server, "store-invite", tokens.alice, anInvite());
    server.bindDirectly({ medium: "email", address }, zoe);
    expect(await server.deliverDue()).toEqual({ delivered: 1, waiting: 0 });
    expect([member(received[0]?.body, "invites")].flat()).toHaveLength(100);
  });

  it("is taken with 200 even if the rest of the answer cannot be thrown away", async () => {
    const response = new Response("{}");
    response.body?.getReader();
    const { server } = aWorld({ fetch: () => Promise.resolve(response) });
    server.bindDirectly({ medium: "email", address }, zoe);
    expect(await server.deliverDue()).toEqual({ delivered: 1, waiting: 0 });
  });

  it("that fails holds up no other", async () => {
    const { received, fetch } = homeserver(500, 200);
    const { server, clock } = aWorld({ fetch });
    server.bindDirectly({ medium: "email", address }, zoe);
    clock.at += 10;
    server.bindDirectly({ medium: "email", address: "b@example.org" }, bob);
    expect(await server.deliverDue()).toEqual({ delivered: 1, waiting: 1, nextDueAt: clock.at + 1000 });
    expect(received.map(({ url }) => new URL(url).host)).toEqual(["elsewhere.example", "example.org"]);
  });

  it("is sent by one caller at a time", async () => {
    let release = (): void => undefined;
    const held = new Promise<Response>((resolve) => {
      release = () => {
        resolve(new Response("{}"));
      };
    });
    let sent = 0;
    const { server } = aWorld({
      fetch: () => {
        sent += 1;
        return held;
      },
    });
    server.bindDirectly({ medium: "email", address }, zoe);
    const first = server.deliverDue();
    expect(await server.deliverDue()).toEqual({ delivered: 0, waiting: 1 });
    release();
    expect(await first).toEqual({ delivered: 1, waiting: 0 });
    expect(sent).toBe(1);
  });

  it("carries no credentials", async () => {
    const sent: Headers[] = [];
    const { server } = aWorld({
      fetch: (_, { headers }) => {
        sent.push(new Headers(headers));
        return Promise.resolve(new Response("{}"));
      },
    });
    server.bindDirectly({ medium: "email", address }, zoe);
    await server.deliverDue();
    expect(sent.map((headers) => [...headers])).toEqual([[["content-type", "application/json"]]]);
  });

  it("to a server whose URL cannot be told is put off, too", async () => {
    const { server, clock } = aWorld({
      homeserverUrl: () => {
        throw new Error("no such server");
      },
    });
    server.bindDirectly({ medium: "email", address }, zoe);
    expect(await server.deliverDue()).toEqual({ delivered: 0, waiting: 1, nextDueAt: clock.at + 1000 });
  });
});
