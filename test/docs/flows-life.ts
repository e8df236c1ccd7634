import { type Transition, advance, parseStoredInvite } from "matrix-third-party-invites/decisions";
import type { InviteLife, StoredInvite, SettledLife, Token } from "matrix-third-party-invites/ports";
import { bob, longTerm, must, threepid, validityUrl } from "../flows/samples.js";
import type { Edge } from "./flows-mermaid.js";

const storedAs = (token: string): StoredInvite =>
  must(
    parseStoredInvite(
      { token, public_keys: [{ public_key: longTerm.publicKey, key_validity_url: validityUrl }] },
      threepid("email", "zoe@example.org"),
    ),
  );

const storedInvite = storedAs("new");
const old: readonly Token[] = [storedAs("old").token];
const made = { storedInvite, askedAt: 0, earlierTokens: old } as const;

const settled: readonly SettledLife[] = [
  { _tag: "Intended" },
  { _tag: "TokenStored", ...made },
  { _tag: "Pending", ...made },
  { _tag: "Redeemed", by: bob, tokens: old },
  { _tag: "Revoked", tokens: old },
  { _tag: "Expired", tokens: old },
];

const asked = settled.map((before): InviteLife => ({ _tag: "Asked", at: 1, before }));
const askedAgain = settled.map((before): InviteLife => ({ _tag: "Asked", at: 1, lostAt: 0, before }));

const transitions = {
  Ask: { _tag: "Ask", at: 2 },
  Answer: { _tag: "Answer", storedInvite: storedAs("newer") },
  NothingSent: { _tag: "NothingSent" },
  Append: { _tag: "Append", superseded: [] },
  Redeem: { _tag: "Redeem", by: bob },
  Revoke: { _tag: "Revoke" },
  Expire: { _tag: "Expire" },
} as const satisfies { readonly [Tag in Transition["_tag"]]: Extract<Transition, { readonly _tag: Tag }> };

const rows: Readonly<Record<string, readonly InviteLife[]>> = {
  Intended: settled.slice(0, 1),
  Asked: asked,
  "Asked, an answer before lost": askedAgain,
  TokenStored: settled.slice(1, 2),
  Pending: settled.slice(2, 3),
  Redeemed: settled.slice(3, 4),
  Revoked: settled.slice(4, 5),
  Expired: settled.slice(5, 6),
};

const beforeOf = (life: InviteLife): string => (life._tag === "Asked" ? life.before._tag : life._tag);

/** What follows, in words that hold of all of these. */
const cellOf = (lives: readonly InviteLife[], transition: Transition): string => {
  const results = lives.flatMap((life) => {
    const next = advance(life, transition)?._tag;
    return next === undefined ? [] : [{ before: beforeOf(life), next }];
  });
  const tags = new Set(results.map(({ next }) => next));
  if (results.length > 1 && results.every(({ before, next }) => before === next)) return "what it was before";
  const where = results.length < lives.length ? results.map(({ before }) => before).join(" or ") : "";
  return [[...tags].join(" or "), where].filter((text) => text !== "").join(", if it was ");
};

const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;

/** The table of `advance`. */
export const lifeTable = (): string => {
  const head = ["state", ...Object.keys(transitions)];
  const body = Object.entries(rows).map(([state, lives]) =>
    line([state, ...Object.values(transitions).map((transition) => cellOf(lives, transition))]),
  );
  return [line(head), line(head.map(() => "---")), ...body].join("\n");
};

/** Of the ways back to an earlier state only the one to *Intended* is drawn: there is no other way to it. */
const isDrawn = ({ text, to }: Edge): boolean => text !== "NothingSent" || to === "Intended";

/** Its arrows. */
export const lifeEdges = (): readonly Edge[] => {
  const edges = Object.values(rows)
    .flat()
    .flatMap((life) =>
      Object.values(transitions).flatMap((transition): readonly Edge[] => {
        const next = advance(life, transition);
        return next === undefined ? [] : [{ from: life._tag, to: next._tag, text: transition._tag }];
      }),
    );
  const drawn = new Map(edges.filter(isDrawn).map((edge) => [JSON.stringify(edge), edge]));
  return [{ from: "[*]", to: "Asked", text: "" }, ...drawn.values()];
};
