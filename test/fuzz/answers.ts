/** What the answers of the library must look like, whatever was asked. */
import assert from "node:assert/strict";
import { type EventTemplate, type Refusal, matrixError } from "matrix-third-party-invites";
import type { Verdict } from "matrix-third-party-invites/judge";
import { type NotCanonicalJson, isJsonObject } from "matrix-third-party-invites/matrix";

/** One side of the two that fp-ts has. */
type Answer<E, A> =
  { readonly _tag: "Left"; readonly left: E } | { readonly _tag: "Right"; readonly right: A };

export type Check<A> = (answer: A) => void;

export const either =
  <E, A>(left: Check<E>, right: Check<A>): Check<Answer<E, A>> =>
  (answer) => {
    assert.ok(Object.keys(answer).length === 2, "An Either has two members.");
    if (answer._tag === "Left") left(answer.left);
    else {
      assert.equal(answer._tag, "Right");
      right(answer.right);
    }
  };

export const isText: Check<string> = (answer) => {
  assert.equal(typeof answer, "string");
};

export const isBoolean: Check<boolean> = (answer) => {
  assert.equal(typeof answer, "boolean");
};

export const isNothing: Check<unknown> = (answer) => {
  assert.equal(answer, undefined);
};

export const isAnything: Check<unknown> = () => undefined;

export const isBytes =
  (length: number): Check<Uint8Array> =>
  (answer) => {
    assert.ok(answer instanceof Uint8Array, "These are no bytes.");
    assert.equal(answer.length, length);
  };

export const isObject: Check<unknown> = (answer) => {
  assert.ok(isJsonObject(answer), "This is no object.");
};

export const optional =
  <A>(check: Check<A>): Check<A | undefined> =>
  (answer) => {
    if (answer !== undefined) check(answer);
  };

/** One of these tags; what else such an answer has is said in `also`. */
export const tagged =
  <T extends string>(...tags: readonly T[]): Check<{ readonly _tag: T }> =>
  (answer) => {
    assert.ok(tags.includes(answer._tag), `No such tag: ${answer._tag}`);
  };

export const isCount: Check<number> = (answer) => {
  assert.ok(Number.isSafeInteger(answer) && answer >= 0, `This counts nothing: ${answer}`);
};

export const isStatus: Check<number> = (answer) => {
  assert.match(String(answer), /^4[0-9]{2}$/);
};

export const isRefusal: Check<Refusal> = (refusal) => {
  assert.equal(refusal._tag, "Refusal");
  assert.match(refusal.code, /^[A-Z]\w+$/);
  assert.match(refusal.message, /^[\x20-\x7e]{1,500}$/);
  assert.match(refusal.errcode, /^M_[A-Z_]+$/);
  isStatus(refusal.status);
  assert.match(refusal.rule ?? "1", /^[0-9](\.[0-9])*$/);
  assert.deepEqual(Object.keys(matrixError(refusal).body), [
    ...Object.keys(refusal.members ?? {}),
    "errcode",
    "error",
  ]);
};

export const refusalOr = <A>(check: Check<A>): Check<Answer<Refusal, A>> => either(isRefusal, check);

export const notCanonical: Check<NotCanonicalJson> = ({ _tag, reason }) => {
  assert.equal(_tag, "NotCanonicalJson");
  assert.match(reason, /^(not JSON|number|lone surrogate|too deep)$/);
};

export const isVerdict: Check<Verdict> = (verdict) => {
  switch (verdict._tag) {
    case "Allow":
    case "NotOurs":
      assert.deepEqual(Object.keys(verdict), ["_tag"]);
      return;
    case "Reject":
      isRefusal(verdict.refusal);
      assert.ok(verdict.refusal.rule !== undefined, "A rejection names its rule.");
      return;
    case "TooMuchWork":
      isCount(verdict.pairs);
      return;
    default:
      assert.fail("No such verdict.");
  }
};

export const isTemplate: Check<EventTemplate> = (event) => {
  assert.match(event.type, /^m\.room\.(member|third_party_invite)$/);
  for (const field of [event.room_id, event.sender, event.state_key]) assert.equal(typeof field, "string");
  isObject(event.content);
};
