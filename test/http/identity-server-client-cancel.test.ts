import { getEventListeners } from "node:events";
import { identityServerClient } from "matrix-third-party-invites/http";
import { describe, expect, it } from "vitest";
import {
  access,
  accessToken,
  callNames,
  calls,
  goodAnswers,
  goodOutcomes,
  lookupRequest,
  serverNamed,
} from "./identity-server-calls.js";
import { fetchTo, json, openRawTls, patient } from "./raw-tls-server.js";

const listeners = (signal: AbortSignal): number => getEventListeners(signal, "abort").length;

const stopped = new Error("the caller has gone");

describe.each(callNames)("%s of a caller that stops it", (name) => {
  it("beforehand rejects with the caller's reason, and asks nobody", async () => {
    const server = await openRawTls((socket) => socket.write(json(200, goodAnswers[name])));
    const client = identityServerClient({ ...patient, fetch: await fetchTo(server.port) });
    const signal = AbortSignal.abort(stopped);
    await expect(calls[name](client, signal)).rejects.toBe(stopped);
    expect(server.connections().made).toBe(0);
    expect(listeners(signal)).toBe(0);
  });

  it.each([
    ["before the answer begins", ""],
    ["in the headers", "HTTP/1.1 200 OK\r\ncontent-le"],
    ["before the body", "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n"],
    ["in the body", 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"valid":'],
  ])("%s rejects with the caller's reason, and lets the connection go", async (_, text) => {
    const controller = new AbortController();
    const { signal } = controller;
    const server = await openRawTls((socket) => {
      socket.write(text, () => {
        setTimeout(() => {
          controller.abort(stopped);
        }, 20);
      });
    });
    const client = identityServerClient({ ...patient, fetch: await fetchTo(server.port) });
    await expect(calls[name](client, signal)).rejects.toBe(stopped);
    expect(listeners(signal)).toBe(0);
    await server.abandoned();
  });

  it("after the answer changes nothing", async () => {
    const server = await openRawTls((socket) => socket.write(json(200, goodAnswers[name])));
    const client = identityServerClient({ ...patient, fetch: await fetchTo(server.port) });
    const controller = new AbortController();
    expect(await calls[name](client, controller.signal)).toEqual(goodOutcomes[name]);
    expect(listeners(controller.signal)).toBe(0);
    controller.abort(stopped);
    expect(server.connections().open).toBe(1);
  });
});

describe("calls at the same time", () => {
  it("do not see each other's answers", async () => {
    const server = await openRawTls((socket, { headers }) => {
      const [, number = ""] = headers["authorization"]?.split(" ") ?? [];
      setTimeout(() => socket.write(json(400, { errcode: `M_${number}` })), Math.random() * 20);
    });
    const client = identityServerClient({ ...patient, fetch: await fetchTo(server.port) });
    const numbers = Array.from({ length: 40 }, (_, number) => number);
    const outcomes = await Promise.all(
      numbers.map((number) => client.lookup({ ...lookupRequest, accessToken: String(number) }, {})),
    );
    expect(outcomes).toEqual(
      numbers.map((number) => ({ _tag: "Rejected", errcode: `M_${number}`, status: 400 })),
    );
  });

  it("with one signal end together, and leave nothing on it", async () => {
    const server = await openRawTls(() => undefined);
    const client = identityServerClient({ ...patient, fetch: await fetchTo(server.port) });
    const controller = new AbortController();
    const { signal } = controller;
    const pending = Array.from({ length: 20 }, () => calls.lookup(client, signal));
    const others = calls.lookup(client, new AbortController().signal);
    setTimeout(() => {
      controller.abort(stopped);
    }, 50);
    const results = await Promise.allSettled(pending);
    expect(results).toEqual(pending.map(() => ({ status: "rejected", reason: stopped })));
    expect(listeners(signal)).toBe(0);
    // The call of somebody else goes on.
    const still = Symbol();
    expect(await Promise.race([others, Promise.resolve(still)])).toBe(still);
    others.catch(() => undefined);
  });
});

describe("hash details", () => {
  /** A server of any name, the pepper of which is its name and how often it was asked. */
  const counting = (options: { readonly hashDetailsMs?: number } = {}) => {
    const asked = new Map<string, number>();
    const client = identityServerClient({
      ...options,
      fetch: (url) => {
        const { hostname } = new URL(url);
        const times = (asked.get(hostname) ?? 0) + 1;
        asked.set(hostname, times);
        return Promise.resolve(
          Response.json({ lookup_pepper: `${hostname} ${times}`, algorithms: ["sha256"] }),
        );
      },
    });
    return async (name: string): Promise<unknown> => {
      const details = await client.hashDetails({ idServer: serverNamed(name), accessToken }, {});
      return details._tag === "HashDetails" ? details.pepper : details;
    };
  };

  it("are remembered for each server", async () => {
    const pepper = counting();
    expect(await pepper("a.example")).toBe("a.example 1");
    expect(await pepper("b.example")).toBe("b.example 1");
    expect(await pepper("a.example")).toBe("a.example 1");
  });

  it("are not shared between clients", async () => {
    const [one, other] = [counting(), counting()];
    expect(await one("a.example")).toBe("a.example 1");
    expect(await one("a.example")).toBe("a.example 1");
    expect(await other("a.example")).toBe("a.example 1");
  });

  it("are asked for anew when their time is over", async () => {
    const pepper = counting({ hashDetailsMs: 40 });
    expect(await pepper("a.example")).toBe("a.example 1");
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(await pepper("a.example")).toBe("a.example 2");
  });

  it("are not remembered where the host says so", async () => {
    const pepper = counting({ hashDetailsMs: 0 });
    expect(await pepper("a.example")).toBe("a.example 1");
    expect(await pepper("a.example")).toBe("a.example 2");
  });

  it("are remembered of 256 servers, the last ones", async () => {
    const pepper = counting();
    const names = Array.from({ length: 257 }, (_, at) => `s${at}.example`);
    for (const name of names) await pepper(name);
    expect(await pepper("s256.example")).toBe("s256.example 1");
    expect(await pepper("s1.example")).toBe("s1.example 1");
    expect(await pepper("s0.example")).toBe("s0.example 2");
  });

  it("of one server, asked for twice at once, come to both", async () => {
    const pepper = counting();
    expect(await Promise.all([pepper("a.example"), pepper("a.example")])).toEqual([
      "a.example 1",
      "a.example 2",
    ]);
    expect(await pepper("a.example")).toBe("a.example 2");
  });

  it("are not remembered from an answer that is none", async () => {
    let body: unknown = { errcode: "M_UNKNOWN" };
    const client = identityServerClient({ fetch: () => Promise.resolve(Response.json(body)) });
    expect(await client.hashDetails(access, {})).toEqual({
      _tag: "Rejected",
      errcode: "M_UNKNOWN",
      status: 200,
    });
    body = goodAnswers.hashDetails;
    expect(await client.hashDetails(access, {})).toEqual(goodOutcomes.hashDetails);
  });

  it("that are remembered do not answer a caller that has stopped", async () => {
    const client = identityServerClient({
      fetch: () => Promise.resolve(Response.json(goodAnswers.hashDetails)),
    });
    expect(await calls.hashDetails(client)).toEqual(goodOutcomes.hashDetails);
    await expect(calls.hashDetails(client, AbortSignal.abort(stopped))).rejects.toBe(stopped);
  });
});
