import type { RedemptionRecord } from "matrix-third-party-invites/ports";
import type { Onbind } from "../../src/testing/identity-server/effects.js";

/** What a token in the hands of a user is called: an invite that they can redeem once. */
export const tokenName = (row: {
  readonly roomId: string;
  readonly token: string;
  readonly mxid: string;
}): string => `${row.roomId} ${row.token} ${row.mxid}`;

/** Where a token stands: rooms that have the same one have nothing to do with each other. */
export const placeOf = ({ roomId, token }: { readonly roomId: string; readonly token: string }): string =>
  `${roomId} ${token}`;

/** What is asked for in an exchange: by a token, its user, and the proof that is shown. */
export const exchangeName = (of: Parameters<typeof tokenName>[0], signed: unknown): string =>
  `${tokenName(of)} ${JSON.stringify(signed)}`;

/** An answer that a server got to its exchange request. */
export interface ExchangeAnswer {
  readonly status: number;
  /** The refusal behind it, or the fault that answered in the server's name. */
  readonly why: string;
}

/** A proof that a homeserver has answered 200 for. */
export interface Delivered {
  readonly server: string;
  readonly roomId: string;
  readonly token: string;
  readonly mxid: string;
  readonly sender: unknown;
  readonly signed: unknown;
}

/** One store-invite that a server set about, until it surely made no mail. */
interface Asking {
  readonly flow: number;
  /** Whether it was for a mail more, and not for the one that every invite may have. */
  readonly resend: boolean;
  /** By the clock of the server that asked. */
  readonly at: number;
  /** The place of the token that it was answered with. */
  place: string | undefined;
}

/** What an identity server has given, to whom. */
export interface GivenToken {
  readonly token: string;
  /** The invite's storage key, and the server that keeps it. */
  readonly invite: string;
  readonly roomId: string;
  readonly sender: string;
}

/** What a run may have and most do not. */
export const rarities = [
  "an error after the mail",
  "a junk answer to an exchange",
  "a token that is given again",
  "a token that is another inviter's",
  "a flow by a clock that is years ahead",
  "a flow by a clock that is years behind",
  "a flood of forged proofs",
  "a delivery that finds no room",
  "a redemption that leaves a full queue",
  "a proof that is delivered again after it was redeemed",
  "a proof that is delivered again after its row was removed",
  "a user who was invited by a proof and kicked",
] as const;
export type Rarity = (typeof rarities)[number];

const minute = 60_000;
const hour = 60 * minute;

/** What the model knows of the whole world and no server does; the checks judge by it. */
export class Ledger {
  /** By the place of the token. */
  readonly given = new Map<string, GivenToken>();
  /** Places whose token an identity server gave to two invites. */
  readonly givenTwice = new Set<string>();
  /** Tokens whose events somebody else has emptied. */
  readonly useless = new Set<string>();
  /** Tokens whose event a server of ours appended, by invite, in their order. */
  readonly appended = new Map<string, string[]>();
  /** Rooms and users: who was ever joined, anywhere. */
  readonly everJoined = new Set<string>();
  /** Proven invites that were ever appended: token and user. */
  readonly proven = new Set<string>();
  /** What identity servers handed over, and were answered 200 for: genuine and on time. */
  readonly delivered = new Map<string, Delivered>();
  /** When a server set about storing a redemption, by its name and the row's id, and when it remembered a token, by its name. */
  readonly storedAt = new Map<string, number>();
  readonly rememberedAt = new Map<string, number>();
  /** The state of a redemption that a server has removed, by its name and the row's id. */
  readonly removed = new Map<string, RedemptionRecord>();
  readonly exchangeAnswers = new Map<string, ExchangeAnswer[]>();
  /** Redemptions whose event the host refused for good, by a fault of ours. */
  readonly refusedForGood = new Set<string>();
  /** Processes that died, and steps that failed and were let go: what they would have done is left to the clean-up. */
  stumbles = 0;
  /** By whom a server's record says that a token was redeemed, and since when; by the server's name and the token's place. */
  readonly redeemedBy = new Map<string, { readonly by: string; readonly at: number }>();
  /** What identity servers have sent, in their order. */
  readonly onbinds: Onbind[] = [];
  /** Which of the things that are drawn seldom have come to pass in this run. */
  readonly met = new Set<Rarity>();
  private readonly askings = new Map<string, Asking[]>();
  /** How often each invite has come to its end, and how often it had when a flow put its intent to ask down. */
  private readonly ends = new Map<string, number>();
  /** The last two flows that have, by the invite. */
  private readonly intended = new Map<
    string,
    readonly { readonly flow: number; readonly at: number | undefined }[]
  >();
  private readonly intents = new Map<string, { readonly ends: number; readonly at: number | undefined }>();

  private endsOf(invite: string): number {
    return this.ends.get(invite) ?? 0;
  }

  /** A flow has put down in the invite's life that it will ask, and when by its clock. */
  intend(invite: string, flow: number, at?: number): void {
    this.intents.set(`${invite} ${flow}`, { ends: this.endsOf(invite), at });
    const before = this.intended.get(invite)?.at(-1);
    if (before?.flow !== flow)
      this.intended.set(
        invite,
        [before, { flow, at }].filter((one) => one !== undefined),
      );
  }

  /** Whether the flow before this one meant to ask by a clock that was ahead: what it noted tells nobody when. */
  private wasAhead(invite: string, at: number): boolean {
    const [before] = this.intended.get(invite) ?? [];
    return (before?.at ?? at) - at > minute;
  }

  /** A flow sets about asking for a mail. Says whether the one that an invite may have is, or may be, out already. */
  ask(invite: string, flow: number, resend: boolean, now = 0): boolean {
    const intent = this.intents.get(`${invite} ${flow}`);
    // The life in which the flow meant to ask is over: its mail is none of the next one's.
    if (intent !== undefined && intent.ends < this.endsOf(invite)) return false;
    const at = intent?.at ?? now;
    const open = this.askings.get(invite) ?? [];
    this.askings.set(invite, [...open, { flow, resend, at, place: undefined }]);
    // A token that is another invite's can never be used: to ask once more is all that is left.
    const isUseless = ({ place }: Asking): boolean =>
      place !== undefined && (this.givenTwice.has(place) || this.useless.has(place));
    const last = open.at(-1);
    return (
      !resend &&
      (last === undefined || !isUseless(last)) &&
      open.some(
        (one) =>
          !one.resend &&
          !isUseless(one) &&
          // What was asked for an hour ago and never answered, or in the future, may be asked for again, three times.
          !((at - one.at >= hour || one.at - at > minute || this.wasAhead(invite, at)) && open.length <= 3),
      )
    );
  }

  /** The flow knows for sure that nothing was sent. */
  nothingSent(invite: string, flow: number): void {
    const open = this.askings.get(invite) ?? [];
    this.askings.set(
      invite,
      open.filter((asking) => asking.flow !== flow),
    );
  }

  tokenGiven(given: GivenToken, flow: number): void {
    const place = placeOf(given);
    const first = this.given.get(place);
    if (first === undefined) this.given.set(place, given);
    else if (first.invite !== given.invite) {
      this.givenTwice.add(place);
      this.met.add("a token that is another inviter's");
    }
    const asking = this.askings.get(given.invite)?.find((one) => one.flow === flow);
    if (asking !== undefined) asking.place = place;
  }

  /** The invite has come to its end: the next one is another. */
  end(invite: string): void {
    this.askings.delete(invite);
    this.ends.set(invite, this.endsOf(invite) + 1);
  }

  /** The token's event is gone from the room, and whatever was asked for before it is superseded. */
  gone(place: string): void {
    const invite = this.given.get(place)?.invite;
    if (invite === undefined) return;
    const open = this.askings.get(invite) ?? [];
    const at = open.findLastIndex((asking) => asking.place === place);
    if (at >= 0) this.askings.set(invite, open.slice(at + 1));
  }
}
