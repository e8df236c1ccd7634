import { isLeft } from "fp-ts/lib/Either.js";
import type {
  FailureDetails,
  RedemptionId,
  RedemptionRecord,
  RedemptionState,
  WaitingRedemption,
} from "../invite/redemption.js";
import { parseRoomId, parseUserId } from "../matrix/ids.js";
import { type JsonObject, isJsonObject, member, stringMember } from "../matrix/json.js";
import { parseStrict } from "../matrix/strict-json.js";
import { numberIn, parsedIn, textIn, unreadable } from "./stored-json.js";

const readSigned = (json: unknown): JsonObject => {
  const text = textIn(json, "signed");
  const strict = parseStrict(text, "any");
  const signed: unknown = isLeft(strict) ? JSON.parse(text) : strict.right;
  if (!isJsonObject(signed)) throw unreadable("signed");
  return signed;
};

const readDetails = (json: unknown): FailureDetails => ({
  reason: textIn(json, "reason"),
  status: numberIn(json, "status"),
  errcode: textIn(json, "errcode"),
});

const readWaiting = (json: unknown): WaitingRedemption => {
  const last = member(json, "last");
  return {
    _tag: "Waiting",
    signed: readSigned(json),
    isVouched: member(json, "isVouched") === true,
    turn: numberIn(json, "turn"),
    depth: numberIn(json, "depth"),
    dueAt: numberIn(json, "dueAt"),
    attempts: numberIn(json, "attempts"),
    ...(member(json, "refusedAt") === undefined ? {} : { refusedAt: numberIn(json, "refusedAt") }),
    ...(last === undefined ? {} : { last: readDetails(last) }),
  };
};

const readState = (json: unknown): RedemptionState => {
  const tag = stringMember(json, "_tag");
  switch (tag) {
    case "Waiting":
      return readWaiting(json);
    case "Dead":
      return {
        _tag: "Dead",
        signed: readSigned(json),
        isVouched: member(json, "isVouched") === true,
        endedAt: numberIn(json, "endedAt"),
        ...readDetails(json),
      };
    case "Done":
    case "Redeemed":
    case "Announced":
      return { _tag: tag, endedAt: numberIn(json, "endedAt") };
    default:
      throw unreadable("state");
  }
};

/** The redemption that `redemptionRow` has made this record of. Throws where the text is not ours. */
export const readRedemption = (record: string): RedemptionRecord => {
  const json: unknown = JSON.parse(record);
  return {
    id: textIn(json, "id") as RedemptionId,
    roomId: parsedIn(parseRoomId, json, "roomId"),
    token: textIn(json, "token"),
    mxid: parsedIn(parseUserId, json, "mxid"),
    sender: parsedIn(parseUserId, json, "sender"),
    owedAt: numberIn(json, "owedAt"),
    state: readState(member(json, "state")),
  };
};
