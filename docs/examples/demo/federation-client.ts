import { signJson, verifyJson } from "matrix-third-party-invites/matrix";
import type { Federation, JsonObject, SigningKey } from "matrix-third-party-invites/ports";
import { nodeCrypto } from "matrix-third-party-invites/node";
import { parseJson, textAt } from "./json.js";
import type { Network } from "./network.js";

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** A request to another homeserver, signed by this one. */
export type AskServer = (
  destination: string,
  method: "GET" | "PUT",
  path: string,
  content?: JsonObject,
  signal?: AbortSignal,
) => Promise<Answer>;

/** Signs requests as X-Matrix: the signature covers the method, the URI, both servers and the body. */
export const federationClient = (network: Network, origin: string, key: SigningKey): AskServer => {
  const fetch = network.as(origin);
  return async (destination, method, uri, content, signal) => {
    const signed = signJson(
      { method, uri, origin, destination, ...(content === undefined ? {} : { content }) },
      origin,
      key,
    );
    if (signed._tag === "Left") throw new Error(`A request cannot be signed: ${signed.left._tag}`);
    const sig = textAt(signed.right, "signatures", origin, key.keyId);
    const response = await fetch(`https://${destination}${uri}`, {
      method,
      headers: {
        authorization: `X-Matrix origin="${origin}",destination="${destination}",key="${key.keyId}",sig="${sig}"`,
        "content-type": "application/json",
      },
      ...(content === undefined ? {} : { body: JSON.stringify(content) }),
      ...(signal === undefined ? {} : { signal }),
    });
    return { status: response.status, body: parseJson(await response.text()) };
  };
};

/** The server that signed a request with this content, or `undefined` where no server that we know did. */
export const requestOrigin = (
  network: Network,
  request: Request,
  content: unknown,
  destination: string,
): string | undefined => {
  const authorization = request.headers.get("authorization") ?? "";
  const parts = new Map(
    [...authorization.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = "", value = ""]) => [name, value]),
  );
  const [origin = "", keyId = "", sig = ""] = ["origin", "key", "sig"].map((name) => parts.get(name));
  const key = network.keyOf(origin, keyId);
  if (key === undefined || parts.get("destination") !== destination) return undefined;
  const { pathname, search } = new URL(request.url);
  const signed = {
    ...{ method: request.method, uri: pathname + search, origin, destination },
    ...(content === undefined ? {} : { content }),
    signatures: { [origin]: { [keyId]: sig } },
  };
  const verified = verifyJson(nodeCrypto, signed, { entity: origin, keyId, publicKey: key.publicKey });
  return verified._tag === "Right" ? origin : undefined;
};

/** The `federation` port. */
export const federationPort = (ask: AskServer): Federation => ({
  exchangeThirdPartyInvite: async ({ destination, roomId, body }, { signal }) => {
    const path = `/_matrix/federation/v1/exchange_third_party_invite/${encodeURIComponent(roomId)}`;
    try {
      const answer = await ask(destination, "PUT", path, body, signal);
      if (answer.status === 200) return { _tag: "Accepted" };
      const errcode = textAt(answer.body, "errcode");
      return {
        _tag: "Refused",
        status: answer.status,
        // A page of a proxy has none: then the proof waits.
        ...(errcode === "" ? {} : { errcode }),
        message: textAt(answer.body, "error"),
      };
    } catch {
      return { _tag: "Unreachable" };
    }
  },
});
