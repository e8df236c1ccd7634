import {
  type Happening,
  type InviteLife,
  type MintedInvite,
  type SettledLife,
  type Token,
  advance,
  parseMintedInvite,
} from "matrix-third-party-invites";
import { bob, longTerm, must, threepid, validityUrl } from "../flows/samples.js";
import type { Edge } from "./flows-mermaid.js";

const mintedAs = (token: string): MintedInvite =>
  must(
    parseMintedInvite(
      { token, public_keys: [{ public_key: longTerm.publicKey, key_validity_url: validityUrl }] },
      threepid("email", "zoe@example.org"),
    ),
  );

const minted = mintedAs("new");
const old: readonly Token[] = [mintedAs("old").token];
const made = { minted, askedAt: 0, standing: old } as const;

const settled: readonly SettledLife[] = [
  { _tag: "Intended" },
  { _tag: "Minted", ...made },
  { _tag: "Pending", ...made },
  { _tag: "Redeemed", by: bob, tokens: old },
  { _tag: "Revoked", tokens: old },
  { _tag: "Expired", tokens: old },
];

const asked = settled.map((before): InviteLife => ({ _tag: "Asked", at: 1, before }));
const askedAgain = settled.map((before): InviteLife => ({ _tag: "Asked", at: 1, lostAt: 0, before }));

const happenings = {
  Ask: { _tag: "Ask", at: 2 },
  Answer: { _tag: "Answer", minted: mintedAs("newer") },
  NothingSent: { _tag: "NothingSent" },
  Append: { _tag: "Append", superseded: [] },
  Redeem: { _tag: "Redeem", by: bob },
  Revoke: { _tag: "Revoke" },
  Expire: { _tag: "Expire" },
} as const satisfies { readonly [Tag in Happening["_tag"]]: Extract<Happening, { readonly _tag: Tag }> };

const rows: Readonly<Record<string, readonly InviteLife[]>> = {
  Intended: settled.slice(0, 1),
  Asked: asked,
  "Asked, an answer before lost": askedAgain,
  Minted: settled.slice(1, 2),
  Pending: settled.slice(2, 3),
  Redeemed: settled.slice(3, 4),
  Revoked: settled.slice(4, 5),
  Expired: settled.slice(5, 6),
};

const beforeOf = (life: InviteLife): string => (life._tag === "Asked" ? life.before._tag : life._tag);

/** What follows, in words that hold of all of these. */
const cellOf = (lives: readonly InviteLife[], happening: Happening): string => {
  const results = lives.flatMap((life) => {
    const next = advance(life, happening)?._tag;
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
  const head = ["state", ...Object.keys(happenings)];
  const body = Object.entries(rows).map(([state, lives]) =>
    line([state, ...Object.values(happenings).map((happening) => cellOf(lives, happening))]),
  );
  return [line(head), line(head.map(() => "---")), ...body].join("\n");
};

const isDrawn = ({ text }: Edge): boolean => text !== "NothingSent";

/** Its arrows, but for those back to what was before. */
export const lifeEdges = (): readonly Edge[] => {
  const edges = Object.values(rows)
    .flat()
    .flatMap((life) =>
      Object.values(happenings).flatMap((happening): readonly Edge[] => {
        const next = advance(life, happening);
        return next === undefined ? [] : [{ from: life._tag, to: next._tag, text: happening._tag }];
      }),
    );
  const drawn = new Map(edges.filter(isDrawn).map((edge) => [JSON.stringify(edge), edge]));
  return [{ from: "[*]", to: "Intended", text: "" }, ...drawn.values()];
};
