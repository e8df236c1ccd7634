import { type Either, isLeft, right } from "fp-ts/lib/Either.js";
import { encodeBase64 } from "../../matrix/base64.js";
import { parseRoomId } from "../../matrix/ids.js";
import { type Threepid, parseThreepid } from "../../threepid/threepid.js";
import { type UserHandler, done } from "./answer.js";
import { type Fault, fault } from "./fault.js";
import { longTermKey } from "./keys.js";
import { letters, randomText } from "./random-text.js";
import { texts, withMembers } from "./request.js";
import { type IdentityState, associationOf, newSigningKey, withEntry } from "./state.js";

const redactPart = (text: string): string => {
  const characters = Array.from(text);
  const shown = characters.length > 3 ? 3 : characters.length > 1 ? 1 : 0;
  return `${characters.slice(0, shown).join("")}...`;
};

/**
 * An address so that its owner knows it and nobody else: at most three characters of each part.
 *
 * @example
 * redactAddress("Zoe.Guest@Example.org"); // "Zoe...@Exa..."
 */
export const redactAddress = (address: string): string => {
  const at = address.indexOf("@");
  return `${redactPart(address.slice(0, at))}@${redactPart(address.slice(at + 1))}`;
};

const notUnderstood = (medium: string) =>
  fault(400, "M_UNRECOGNIZED", `Didn't understand medium '${medium}'`);

/** The address to invite: one that can be mailed to and that nobody has bound yet. */
const freeAddress = (state: IdentityState, medium: string, address: string): Either<Fault, Threepid> => {
  const threepid = parseThreepid(medium, address);
  if (isLeft(threepid))
    return medium === "email"
      ? fault(400, "M_INVALID_PARAM", "Invalid email provided")
      : notUnderstood(medium);
  const owner = associationOf(state, threepid.right);
  if (owner !== undefined)
    return fault(400, "M_THREEPID_IN_USE", "Binding already known", { mxid: owner.mxid });
  return threepid.right.medium === "email" ? right(threepid.right) : notUnderstood(medium);
};

/** The validity URLs are those of the old API, like Sydent's: who rebuilds them instead of using them errs. */
const validityUrl = (state: IdentityState, path: string): string =>
  `${state.baseUrl}/_matrix/identity/api/v1/pubkey/${path}`;

/**
 * `POST /store-invite`: keeps an invite for the owner of an address and mails them. Answers with
 * a token of 128 letters, the long-term key in the standard and a new ephemeral key in the URL-safe alphabet, each
 * with its validity URL, a redacted address and, undocumented, the long-term key once more.
 */
export const storeInvite: UserHandler = ({ state, request, random }, user) => {
  const names = ["medium", "address", "room_id", "sender"] as const;
  const all = withMembers(request.body, names);
  if (isLeft(all)) return all;
  const body = texts(all.right, names);
  if (isLeft(body)) return body;
  if (body.right.sender !== user) return fault(403, "M_UNAUTHORIZED", "'sender' doesn't match");
  const roomId = parseRoomId(body.right.room_id);
  if (isLeft(roomId)) return fault(400, "M_INVALID_PARAM", "Invalid room_id provided");
  if (state.rateLimit) return fault(429, "M_UNKNOWN", "Limit exceeded for this sender");
  const threepid = freeAddress(state, body.right.medium, body.right.address);
  if (isLeft(threepid)) return threepid;

  const token = randomText(random, 128, letters);
  const seed = random(32);
  const ephemeralKey = encodeBase64(newSigningKey(seed).publicKey, "urlsafe");
  const key = longTermKey(state);
  const invite = {
    token,
    threepid: threepid.right,
    roomId: roomId.right,
    sender: user,
    announced: false,
  };
  return done(
    {
      ...state,
      invites: withEntry(state.invites, token, invite),
      ephemeralKeys: new Set(state.ephemeralKeys).add(ephemeralKey),
    },
    {
      token,
      public_key: key,
      public_keys: [
        { public_key: key, key_validity_url: validityUrl(state, "isvalid") },
        { public_key: ephemeralKey, key_validity_url: validityUrl(state, "ephemeral/isvalid") },
      ],
      display_name: redactAddress(body.right.address),
    },
    {
      _tag: "SendMail",
      mail: {
        kind: "invite",
        address: threepid.right.address,
        token,
        privateKey: encodeBase64(seed, "urlsafe"),
        roomId: roomId.right,
        sender: user,
        request: all.right,
      },
    },
  );
};
