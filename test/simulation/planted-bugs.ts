/** A guard of the library taken away, by an exact text that stands once in one file. */
export interface PlantedBug {
  readonly name: string;
  /** Below `src`. */
  readonly file: string;
  readonly text: string;
  readonly instead: string;
}

export const plantedBugs: readonly PlantedBug[] = [
  {
    name: "a joined user is invited by a proof",
    file: "invite/redeem.ts",
    text: 'if (membership === "join") return right({ _tag: "AlreadyJoined", events: [] });',
    instead: "",
  },
  {
    name: "a banned user is invited by a proof",
    file: "invite/redeem.ts",
    text: 'if (membership === "ban") return refuse("TargetBanned", { rule: `${rules.invite}.1.1` });',
    instead: "",
  },
  {
    name: "a proof is not verified",
    file: "invite/redeem.ts",
    text: "const proof = proveInvite({ crypto, version: state.version, maxPairs }, json, content);",
    instead:
      'const proof: any = { _tag: "Proven", signatures: json["signatures"], keys: [{ publicKey: "", validity: { _tag: "Forever" } }] };',
  },
  {
    name: "a key that was withdrawn is good enough",
    file: "flows/steps/redeem-delivery.ts",
    text: 'before: (outcome) => (outcome._tag === "Redeem" ? keysValid(outcome.keys) : TE.right(undefined)),',
    instead: "",
  },
  {
    name: "an onbind may hold another user's entries",
    file: "invite/onbind.ts",
    text: 'if (member(value, "mxid") !== mxid || signed.right.mxid !== mxid) return refuse("MxidMismatch");',
    instead: "",
  },
  {
    name: "an exchange may be for another server's invite",
    file: "invite/exchange.ts",
    text: 'return refuse("SenderNotLocal");',
    instead: "return right(undefined);",
  },
  {
    name: "the intent is not stored before the mail",
    file: "flows/steps/store-invite.ts",
    text: 'life: { _tag: "Asked", at: now, before: { _tag: "Intended" } },',
    instead: 'life: { _tag: "Intended" },',
  },
  {
    name: "the intent is not stored before a later mail",
    file: "flows/steps/store-invite.ts",
    text: 'unlessEnded(context, again, { _tag: "Ask", at: clock.now(), isRepeat: !resend })',
    instead: "TE.right(again)",
  },
  {
    name: "whoever finds the intent of another request asks as well",
    file: "flows/steps/store-invite.ts",
    text: "if (stored.isNew) return",
    instead: 'if (stored.isNew || stored.value.life._tag === "Asked") return',
  },
  {
    name: "an answer that was lost is asked for again",
    file: "flows/steps/store-invite.ts",
    text: 'return TE.left(refusal("InviteUnknown", { retryAfterMs: lost.retryAfterMs }));',
    instead: "return askAgain;",
  },
  {
    name: "an error of the identity server counts as a mail not sent",
    file: "flows/steps/ask-identity-server.ts",
    text: "return answer.sent ? failed(answer) : notSent(answer);",
    instead: "return notSent(answer);",
  },
  {
    name: "a clean-up forgets the tokens that were replaced",
    file: "invite/leftover.ts",
    text: 'return life.storedInvite.token === token ? undefined : "Superseded";',
    instead: "return undefined;",
  },
  {
    name: "a careless display name goes into the room",
    file: "invite/stored-invite.ts",
    text: 'displayName: safeDisplayName(stringMember(answer, "display_name"), threepid),',
    instead: 'displayName: stringMember(answer, "display_name") ?? "",',
  },
  {
    name: "a conflict appends the old decision again",
    file: "flows/steps/decide.ts",
    text: "decide(context, plan),\n                  TE.flatMap((newer) => carryOut(context, plan, newer, rounds - 1)),",
    instead:
      "readState(context, plan.roomId, request.reads),\n                  TE.flatMap((newer) => carryOut(context, plan, { outcome, revision: newer.revision }, rounds - 1)),",
  },
  {
    name: "an inviter's server that is away ends the redemption",
    file: "flows/steps/ask-for-exchange.ts",
    text: "return read.isFinal || ourselves === undefined ? TE.left(read.problem) : ourselves;",
    instead: 'return TE.left(refusal("TargetBanned"));',
  },
  {
    name: "an answer for now is taken for good",
    file: "invite/exchange-answer.ts",
    text: 'if (passing.has(status) || status >= 500) return "Failed";',
    instead: 'return "Refused";',
  },
  {
    name: "a token that has not come yet counts as unknown for good",
    file: "flows/steps/work-on-claimed.ts",
    text: '  "TokenUnknown",\n',
    instead: "",
  },
  {
    name: "a joined user is invited by their ID",
    file: "invite/invite-user.ts",
    text: 'return refuse("TargetJoined", { rule });',
    instead: 'return right("outside");',
  },
  {
    name: "two workers may hold one redemption",
    file: "testing/memory/redemptions.ts",
    text: "at >= due.from && at <= due.to",
    instead: "at >= due.from",
  },
  {
    name: "a claim that was lost still ends a row",
    file: "testing/memory/redemptions.ts",
    text: "stored.get(record.id)?.mark === mark",
    instead: 'mark !== ""',
  },
  {
    name: "a proof delivered again is owed again",
    file: "testing/memory/redemptions.ts",
    text: "if (!stored.has(row.value.id))",
    instead: 'if (row.value.id !== "")',
  },
  {
    name: "two writers of one invite both win",
    file: "testing/memory/invites.ts",
    text: "stored.get(record.key)?.mark === mark",
    instead: 'mark !== ""',
  },
  {
    name: "everybody who puts one invite is told that it is new",
    file: "testing/memory/invites.ts",
    text: "{ ...present, isNew: false }",
    instead: "{ ...present, isNew: true }",
  },
  {
    name: "a forged proof takes the good one's place",
    file: "invite/redemption.ts",
    text: "idOf(crypto, [roomId, sender, signed.json]);",
    instead: "idOf(crypto, [roomId, signed.token, signed.mxid]);",
  },
  {
    name: "an invite that was sent counts as made",
    file: "flows/steps/work-on-claimed.ts",
    text: 'return dueAt > now ? { _tag: "Defer", dueAt } : undefined;',
    instead: 'return announced.length > 0 ? { _tag: "Done", at: now } : undefined;',
  },
  {
    name: "a 401 of another server is taken for a no",
    file: "foreign-answer.ts",
    text: "status: status === 401 ? 424 : status",
    instead: "status: status === 401 ? 403 : status",
  },
  {
    name: "a token that was redeemed is forgotten",
    file: "flows/steps/work-on-claimed.ts",
    text: 'if (siblings.some(({ state }) => state._tag === "Redeemed")) return { _tag: "Done", at: now };',
    instead: "",
  },
  {
    name: "one refusal of the inviter's server is enough",
    file: "invite/redemption.ts",
    text: "if (refusedAt + confirmMs <= at) return dead(state, at, details);",
    instead: "return dead(state, at, details);",
  },
  {
    name: "what a proxy answers ends a redemption",
    file: "invite/exchange-answer.ts",
    text: 'if (errcode === undefined || status === 429 || status === 503) return "Down";',
    instead:
      'if (status === 429 || status === 503) return "Down"; if (errcode === undefined) return "Refused";',
  },
  {
    name: "an errcode that says nothing ends a redemption",
    file: "invite/exchange-answer.ts",
    text: 'return saysNothing.has(errcode) ? "Down" : "Unclear";',
    instead: 'return "Refused";',
  },
  {
    name: "an error that may come after the mail counts as a mail not sent",
    file: "invite/store-invite-error.ts",
    text: 'beforeMail.has(status) && errcode !== "M_UNKNOWN";',
    instead: "status >= 400;",
  },
  {
    name: "tidying does not look again before it empties an event",
    file: "invite/leftover.ts",
    text: ".filter((invite) => untidyReason(state, invite, tidying) !== undefined)",
    instead: "",
  },
  {
    name: "turns inside a user forget the destinations",
    file: "invite/redemption-line.ts",
    text: "const depth = before * rows.size + (positions.get(destination) ?? 0);",
    instead: "const depth = [...rows.values()].reduce((sum, one) => sum + one, -1);",
  },
  {
    name: "a token that was redeemed leaves with what is done, and its proof is delivered again",
    file: "flows/steps/trim-queue.ts",
    text: 'lanes: ["done", "announced"]',
    instead: 'lanes: ["done", "announced", "redeemed"]',
  },
  {
    name: "a clock that leaps forgets the tokens that were redeemed",
    file: "flows/steps/trim-queue.ts",
    text: "...(isSteady ? [",
    instead: "...(now > 0 ? [",
  },
  {
    name: "a clock that is ahead ends a fresh proof",
    file: "flows/steps/work-on-claimed.ts",
    text: "return missed < dayMs",
    instead: "return missed < Infinity",
  },
  {
    name: "a token that is given again is not written over the event that we emptied",
    file: "invite/invite-threepid.ts",
    text: "if (present !== undefined && !isEmptied)",
    instead: "if (present !== undefined)",
  },
  {
    name: "a token that is given again writes over another invite",
    file: "invite/invite-threepid.ts",
    text: "if (present !== undefined",
    instead: "if (present === null",
  },
];
