import { type Either, isLeft, mapLeft, right } from "fp-ts/lib/Either.js";
import { type UserId, serverOf } from "../../matrix/ids.js";
import { type JsonObject, hasMember, member } from "../../matrix/json.js";
import { lookupInClear } from "../../threepid/lookup-hash.js";
import { type Threepid, parseThreepid } from "../../threepid/threepid.js";
import { type Done, type UserHandler, done } from "./answer.js";
import { type Fault, fault } from "./fault.js";
import { signAsServer } from "./keys.js";
import { texts, textsWithSecret, withMembers } from "./request.js";
import { validatedSession } from "./sessions.js";
import {
  type IdentityState,
  type StoredInvite,
  associationOf,
  withAssociation,
  withoutEntry,
} from "./state.js";

/** How long an association is said to hold: a hundred years, as Sydent says. */
const lifetime = 100 * 365 * 24 * 60 * 60 * 1000;

const isSame = (one: Threepid, other: Threepid): boolean =>
  one.medium === other.medium && one.address === other.address;

/** One entry of `invites`, in Sydent's shape: `token` stands beside `signed`, too. */
const announcement = (
  state: IdentityState,
  { threepid, roomId, sender, token }: StoredInvite,
  mxid: UserId,
): Either<Fault, JsonObject> => {
  const signed = signAsServer(state, { mxid, token });
  if (isLeft(signed)) return signed;
  const { medium, address } = threepid;
  return right({ medium, address, room_id: roomId, sender, token, mxid, signed: signed.right });
};

/**
 * Binds an address to a user and tells the user's homeserver: the signed association, with every
 * invite that waited for this address and was not announced before; each is announced once. Without any,
 * `invites` is left out and the homeserver is told all the same, as Sydent does.
 */
export const associate = (
  state: IdentityState,
  threepid: Threepid,
  mxid: UserId,
  now: number,
): Either<Fault, Done> => {
  const announced = new Map(state.invites);
  const invites: JsonObject[] = [];
  for (const invite of state.invites.values()) {
    if (invite.announced || !isSame(invite.threepid, threepid)) continue;
    const entry = announcement(state, invite, mxid);
    if (isLeft(entry)) return entry;
    invites.push(entry.right);
    announced.set(invite.token, { ...invite, announced: true });
  }
  const association = signAsServer(state, {
    medium: threepid.medium,
    address: threepid.address,
    mxid,
    ts: now,
    not_before: now,
    not_after: now + lifetime,
    ...(invites.length > 0 ? { invites } : {}),
  });
  if (isLeft(association)) return association;
  const bound = withAssociation({ ...state, invites: announced }, threepid, mxid);
  return done(bound, association.right, {
    _tag: "DeliverOnbind",
    onbind: { to: serverOf(mxid), body: association.right },
  });
};

/**
 * `POST /3pid/bind`. Users bind their own ID only: another one is 403 `M_UNAUTHORIZED`, as Sydent
 * answers, although the specification lets an owner name anybody.
 */
export const bind: UserHandler = ({ state, request }, user) => {
  const body = textsWithSecret(request.body, ["sid", "client_secret", "mxid"]);
  if (isLeft(body)) return body;
  if (body.right.mxid !== user)
    return fault(403, "M_UNAUTHORIZED", "This user is prohibited from binding to the mxid");
  const session = validatedSession(state, body.right.sid, body.right.client_secret, request.now);
  return isLeft(session) ? session : associate(state, session.right.threepid, user, request.now);
};

/** Whatever is wrong with the credentials of an unbind, the status is 403; the code says what it was. */
const forbidden = mapLeft((why: Fault): Fault => ({ ...why, status: 403 }));

/**
 * `POST /3pid/unbind`: takes `sid` and `client_secret` of a validated session for the same address. The other
 * proof, a homeserver's signature, is not checked here and refused with 403 `M_FORBIDDEN`. To remove what is not
 * there is no error. Stored invites stay as they are.
 */
export const unbind: UserHandler = ({ state, request }) => {
  const body = withMembers(request.body, ["threepid", "mxid"]);
  if (isLeft(body)) return body;
  const wanted = member(body.right, "threepid");
  if (!hasMember(wanted, "medium") || !hasMember(wanted, "address"))
    return fault(400, "M_MISSING_PARAMS", "Threepid lacks medium / address");
  const threepid = parseThreepid(member(wanted, "medium"), member(wanted, "address"));
  const named = texts(body.right, ["mxid"]);
  if (isLeft(named)) return named;
  if (!hasMember(body.right, "sid") || !hasMember(body.right, "client_secret"))
    return fault(403, "M_FORBIDDEN", "Only a session proves ownership here");
  const proof = textsWithSecret(body.right, ["sid", "client_secret"]);
  if (isLeft(proof)) return proof;
  const { sid, client_secret } = proof.right;
  const session = forbidden(validatedSession(state, sid, client_secret, request.now));
  if (isLeft(session)) return session;
  if (isLeft(threepid) || !isSame(session.right.threepid, threepid.right))
    return fault(403, "M_FORBIDDEN", "Provided session information does not match medium/address combo");
  return associationOf(state, threepid.right)?.mxid === named.right.mxid
    ? done({ ...state, associations: withoutEntry(state.associations, lookupInClear(threepid.right)) }, {})
    : done(state, {});
};
