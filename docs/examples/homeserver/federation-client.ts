import type { Fetch } from "matrix-third-party-invites/http";
import { signRequest } from "matrix-third-party-invites/matrix";
import type { Federation, JsonObject, SigningKey } from "matrix-third-party-invites/ports";
import { at, parseJson, textAt, writeJson } from "./json.js";

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** Where a server is asked: at its own name, with port 8448 unless the name has one. There is no discovery. */
const urlOf = (server: string, uri: string): string =>
  `https://${/:\d+$/.test(server) ? server : `${server}:8448`}${uri}`;

const timeoutMs = 30_000;

const answerOf = async (response: Response): Promise<Answer> => ({
  status: response.status,
  body: parseJson(await response.text()),
});

/** An unsigned request to another server. */
export const getJson = async (fetch: Fetch, server: string, uri: string): Promise<Answer> =>
  answerOf(await fetch(urlOf(server, uri), { method: "GET", signal: AbortSignal.timeout(timeoutMs) }));

/** A request to another homeserver, signed by this one. It rejects where there is no answer. */
export type AskServer = (
  destination: string,
  method: "GET" | "PUT" | "POST",
  uri: string,
  content?: JsonObject,
  signal?: AbortSignal,
) => Promise<Answer>;

export const federationClient =
  (fetch: Fetch, origin: string, key: SigningKey): AskServer =>
  async (destination, method, uri, content, signal) => {
    const signed = signRequest({ method, uri, origin, destination, content }, key);
    if (signed._tag === "Left") throw new Error(`A request cannot be signed: ${signed.left._tag}`);
    const late = AbortSignal.timeout(timeoutMs);
    const response = await fetch(urlOf(destination, uri), {
      method,
      headers: { authorization: signed.right, "content-type": "application/json" },
      ...(content === undefined ? {} : { body: writeJson(content) }),
      signal: signal === undefined ? late : AbortSignal.any([late, signal]),
    });
    return answerOf(response);
  };

/** The `federation` port. */
export const federationPort = (ask: AskServer): Federation => ({
  exchangeThirdPartyInvite: async ({ destination, roomId, body, timeoutMs: within }, { signal }) => {
    const uri = `/_matrix/federation/v1/exchange_third_party_invite/${encodeURIComponent(roomId)}`;
    const late = AbortSignal.timeout(within);
    try {
      const stop = signal === undefined ? late : AbortSignal.any([late, signal]);
      const answer = await ask(destination, "PUT", uri, body, stop);
      if (answer.status === 200) return { _tag: "Accepted" };
      const errcode = textAt(answer.body, "errcode");
      const wait = at(answer.body, "retry_after_ms");
      return {
        _tag: "Refused",
        status: answer.status,
        // A page of a proxy has none: then the proof waits.
        ...(errcode === "" ? {} : { errcode }),
        ...(typeof wait === "number" ? { retryAfterMs: wait } : {}),
        message: textAt(answer.body, "error"),
      };
    } catch {
      return { _tag: "Unreachable" };
    }
  },
});
