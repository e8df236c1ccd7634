import { createHash } from "node:crypto";
import type { Ports } from "matrix-third-party-invites";
import { encodeBase64 } from "matrix-third-party-invites/matrix";
import { nodeSigningKey } from "matrix-third-party-invites/node";

type IdentityServer = Ports["identityServer"];

/** What it signs with that somebody has bound an address. */
export const idServerKey = nodeSigningKey("ed25519:0", createHash("sha256").update("id").digest());

const publicKey = encodeBase64(idServerKey.publicKey);
const publicKeys = [
  {
    public_key: publicKey,
    key_validity_url: "https://id.example.com/_matrix/identity/api/v1/pubkey/isvalid",
  },
];

/**
 * Answers at once, in process: nobody is bound, and every invite gets a token of its own. Two whose tokens meet in one
 * table need different names, since no token is taken twice.
 */
export const stubIdentityServer = (name: string): IdentityServer => {
  let given = 0;
  return {
    hashDetails: () => Promise.resolve({ _tag: "HashDetails", pepper: "pepper", algorithms: ["sha256"] }),
    lookup: () => Promise.resolve({ _tag: "Mappings", userIds: new Map() }),
    storeInvite: () => {
      given += 1;
      const answer = { token: `${name}-${given}`, public_keys: publicKeys, display_name: "z...@m..." };
      return Promise.resolve({ _tag: "Stored", answer });
    },
    keyValidity: () => Promise.resolve({ _tag: "Validity", valid: true }),
  };
};

/** For flows that ask none. */
export const nobodysIdentityServer = stubIdentityServer("nobody");
