import { type Either, isLeft } from "fp-ts/lib/Either.js";
import type {
  AddressHash,
  InviteKey,
  InviteLife,
  InviteRecord,
  SettledLife,
} from "../../invite/invite-life.js";
import { type StoredInvite, type Token, parseToken } from "../../invite/stored-invite.js";
import { parseRoomId, parseServerName, parseUserId } from "../../matrix/ids.js";
import { parseThreepid } from "../../threepid/threepid.js";

export const must = <A>(made: Either<unknown, A>): A => {
  if (isLeft(made))
    throw new Error(
      `A sample of the kit, or an identifier of the adapter, is wrong: ${JSON.stringify(made.left)}`,
    );
  return made.right;
};

export const user = (id: string) => must(parseUserId(id));
export const room = (id: string) => must(parseRoomId(id));
export const server = (name: string) => must(parseServerName(name));

export const threepid = (address: string) => must(parseThreepid("email", address));

export const alice = user("@alice:a.example");
export const bob = user("@bob:b.example");
export const carol = user("@carol:c.example");
export const room1 = room("!1:a.example");
export const room2 = room("!2:a.example");

/** Storage takes keys and hashes as they are: what makes one out of an address is nothing to it. */
export const keyOf = (text: string): InviteKey => text as InviteKey;
export const hashOf = (text: string): AddressHash => text as AddressHash;

export const token = (text: string): Token => must(parseToken(text));

export const storedInvite = (text: string): StoredInvite => ({
  token: token(text),
  publicKeys: [
    { publicKey: "ta0Xyx8k5g", keyValidityUrl: "https://id.example/isvalid?a=1&b=%20" },
    { publicKey: "yMSkgvRxg-", keyValidityUrl: "https://id.example/ephemeral" },
  ],
  displayName: "d...@m... \u{1f98a}",
});

export const pending = (text: string): SettledLife => ({
  _tag: "Pending",
  storedInvite: storedInvite(text),
  askedAt: 1_767_225_600_321,
  earlierTokens: [],
});

export const asked = (at: number): InviteLife => ({ _tag: "Asked", at, before: { _tag: "Intended" } });

export const record = (key: string, more: Partial<InviteRecord> = {}): InviteRecord => ({
  key: keyOf(key),
  addressHash: hashOf(`hash of ${key}`),
  roomId: room1,
  sender: alice,
  idServer: server("id.example"),
  createdAt: 1_767_225_600_000,
  details: {},
  life: { _tag: "Intended" },
  ...more,
});

/** Texts that databases and their drivers are known to lose or to take for others. */
export const oddTexts: readonly string[] = [
  "a\u0000b",
  "\ud83d",
  "\udc00\ud800",
  "\u{1f98a}\ufffd\uffff",
  "e\u0301 is not \u00e9",
  " blanks ",
  "quotes ' \" ` and \\ \\u0000 \\",
  '$1 %s :name ? {} {"a":1}',
  "line\r\nbreak\ttab",
  "NULL",
];
