import { type Either, isLeft, right } from "fp-ts/lib/Either.js";
import { member } from "../../matrix/json.js";
import { type Threepid, parseThreepid } from "../../threepid/threepid.js";
import { type UserHandler, done } from "./answer.js";
import { type Errcode, type Fault, fault } from "./fault.js";
import { type Random, lettersAndDigits, randomNumberText, randomText } from "./random-text.js";
import { textsWithSecret, withMembers } from "./request.js";
import { type IdentityState, type Session, withEntry } from "./state.js";

/** A session can be validated and used for 24 hours after it was last modified. */
const lifetime = 24 * 60 * 60 * 1000;

const isExpired = (session: Session, now: number): boolean => now > session.modifiedAt + lifetime;

const expired = "This validation session has expired: call requestToken again";

const openSession = (
  state: IdentityState,
  threepid: Threepid,
  clientSecret: string,
  now: number,
): Session | undefined => {
  for (const session of state.sessions.values())
    if (
      session.threepid.address === threepid.address &&
      session.clientSecret === clientSecret &&
      !isExpired(session, now)
    )
      return session;
  return undefined;
};

const newSession = (threepid: Threepid, clientSecret: string, now: number, random: Random): Session => ({
  sid: randomNumberText(random),
  clientSecret,
  threepid,
  token: randomText(random, 32, lettersAndDigits),
  sendAttempt: Number.NEGATIVE_INFINITY,
  modifiedAt: now,
  validatedAt: undefined,
});

/**
 * `POST /validate/email/requestToken`: opens a session and mails its token. The same address with the same
 * secret is the same session, and is mailed again only for a higher `send_attempt`.
 */
export const requestToken: UserHandler = ({ state, request, random }) => {
  const all = withMembers(request.body, ["email", "client_secret", "send_attempt"]);
  if (isLeft(all)) return all;
  const body = textsWithSecret(all.right, ["email", "client_secret"]);
  if (isLeft(body)) return body;
  const sendAttempt = member(all.right, "send_attempt");
  if (typeof sendAttempt !== "number" || !Number.isSafeInteger(sendAttempt))
    return fault(400, "M_INVALID_PARAM", "send_attempt should be an integer");
  const threepid = parseThreepid("email", body.right.email);
  if (isLeft(threepid)) return fault(400, "M_INVALID_EMAIL", "Invalid email address");
  if (state.rateLimit) return fault(429, "M_UNKNOWN", "Limit exceeded for this sender");

  const clientSecret = body.right.client_secret;
  const session =
    openSession(state, threepid.right, clientSecret, request.now) ??
    newSession(threepid.right, clientSecret, request.now, random);
  const { sid, token } = session;
  if (sendAttempt <= session.sendAttempt) return done(state, { sid });
  return done(
    {
      ...state,
      sessions: withEntry(state.sessions, sid, { ...session, sendAttempt, modifiedAt: request.now }),
    },
    { sid },
    {
      _tag: "SendMail",
      mail: { kind: "validation", address: session.threepid.address, token, sid, clientSecret },
    },
  );
};

/**
 * `POST /validate/email/submitToken`: proves that the mail was read. A failure is 400 with the codes of the specification; its
 * body says `success: false` too, for those who were written against Sydent, which answers it with status 200.
 */
export const submitToken: UserHandler = ({ state, request }) => {
  const body = textsWithSecret(request.body, ["token", "sid", "client_secret"]);
  if (isLeft(body)) return body;
  const failed = (errcode: Errcode, error: string) => fault(400, errcode, error, { success: false });
  const session = state.sessions.get(body.right.sid);
  if (session?.clientSecret !== body.right.client_secret)
    return failed("M_INVALID_PARAM", "No session could be found with this sid and client secret");
  if (isExpired(session, request.now)) return failed("M_SESSION_EXPIRED", expired);
  if (session.token !== body.right.token) return failed("M_TOKEN_INCORRECT", "The token is incorrect");
  const validated: Session = { ...session, modifiedAt: request.now, validatedAt: request.now };
  return done({ ...state, sessions: withEntry(state.sessions, session.sid, validated) }, { success: true });
};

/** A session whose token came back, and when. */
export interface ValidatedSession {
  readonly threepid: Threepid;
  readonly validatedAt: number;
}

/**
 * The validated session of this ID and secret; 404 `M_NO_VALID_SESSION`, 400 `M_SESSION_EXPIRED` or 400
 * `M_SESSION_NOT_VALIDATED` where there is none.
 */
export const validatedSession = (
  state: IdentityState,
  sid: string,
  clientSecret: string,
  now: number,
): Either<Fault, ValidatedSession> => {
  const session = state.sessions.get(sid);
  if (session?.clientSecret !== clientSecret)
    return fault(404, "M_NO_VALID_SESSION", "No valid session was found matching that sid and client secret");
  if (isExpired(session, now)) return fault(400, "M_SESSION_EXPIRED", expired);
  const { threepid, validatedAt } = session;
  return validatedAt === undefined
    ? fault(400, "M_SESSION_NOT_VALIDATED", "This validation session has not yet been completed")
    : right({ threepid, validatedAt });
};

/** `GET /3pid/getValidated3pid`. */
export const getValidated3pid: UserHandler = ({ state, request }) => {
  const query = textsWithSecret(request.query, ["sid", "client_secret"]);
  if (isLeft(query)) return query;
  const session = validatedSession(state, query.right.sid, query.right.client_secret, request.now);
  if (isLeft(session)) return session;
  const { threepid, validatedAt } = session.right;
  return done(state, { medium: threepid.medium, address: threepid.address, validated_at: validatedAt });
};
