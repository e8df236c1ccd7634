import { type RoomVersion, roomVersionIds } from "matrix-third-party-invites/judge";
import { explain } from "../../src/invite/explain.js";
import { type Rule, type RuleName, rulesFor } from "../../src/invite/rules.js";
import type { EventLike } from "../../src/matrix/event.js";
import { nodeCrypto } from "../../src/node/crypto.js";
import {
  type Room,
  type RoomOptions,
  alice,
  bob,
  carol,
  dave,
  room,
  sign,
  signed,
  strangeKey,
  token,
  versionOf,
} from "../invite/room.js";

/** An event that the rule decides; one for each answer that the rule has. */
interface Case {
  readonly rule: RuleName;
  readonly room?: RoomOptions;
  readonly event: (room: Room) => EventLike;
}

const nobody = "@nobody:one.example";

const cases: readonly Case[] = [
  { rule: "room", event: (r) => ({ ...r.redeemed(), room_id: "!other:one.example" }) },
  { rule: "create", room: { noCreate: true }, event: (r) => r.redeemed() },
  {
    rule: "federate",
    room: { create: { "m.federate": false }, levels: { invite: 0 } },
    event: (r) => r.thirdPartyInvite(dave),
  },
  { rule: "memberShape", event: (r) => ({ ...r.redeemed(), state_key: undefined }) },
  {
    rule: "joinAuthoriser",
    event: (r) => r.invited(alice, bob, { join_authorised_via_users_server: carol }),
  },
  { rule: "provenTarget", room: { members: { [bob]: "ban" } }, event: (r) => r.redeemed() },
  { rule: "provenSigned", event: (r) => r.redeemed(null) },
  { rule: "provenMembers", event: (r) => r.redeemed({ signed: sign({ mxid: bob }) }) },
  { rule: "provenMxid", event: (r) => r.redeemed({ signed }, alice, dave) },
  { rule: "provenToken", room: { invite: null }, event: (r) => r.redeemed() },
  { rule: "provenSender", event: (r) => r.redeemed({ signed }, carol) },
  { rule: "provenMatch", event: (r) => r.redeemed() },
  { rule: "provenNone", event: (r) => r.redeemed({ signed: sign({ mxid: bob, token }, strangeKey) }) },
  { rule: "plainSender", event: (r) => r.invited(nobody) },
  { rule: "plainTarget", event: (r) => r.invited(alice, carol) },
  { rule: "plainTarget", room: { members: { [bob]: "ban" } }, event: (r) => r.invited(alice) },
  { rule: "plainPower", event: (r) => r.invited(alice) },
  { rule: "plainNone", event: (r) => r.invited(carol) },
  { rule: "thirdPartyInviteSender", event: (r) => r.thirdPartyInvite(nobody) },
  { rule: "thirdPartyInvitePower", event: (r) => r.thirdPartyInvite(carol) },
];

/** What a rule answers with, in the versions that have it; throws where another rule decided. */
const answersOf = (rule: RuleName, versions: readonly RoomVersion[]): readonly string[] => {
  const answers = new Set<string>();
  for (const { id } of versions)
    for (const { room: options, event } of cases.filter((one) => one.rule === rule)) {
      const made = room(id, options);
      const { verdict, steps } = explain(event(made), made.state, nodeCrypto);
      const decided = steps.findLast(({ outcome }) => outcome === "refused" || outcome === "allowed");
      if (decided?.name !== rule) throw new Error(`${String(decided?.name)} decided in place of ${rule}.`);
      answers.add(verdict._tag === "Reject" ? `\`${verdict.refusal.code}\`` : "allowed");
    }
  return [...answers];
};

const all = roomVersionIds.map(versionOf);

/** Versions that number all rules alike stand in one column. */
const columns: readonly (readonly RoomVersion[])[] = [
  ...all
    .reduce((groups, version) => {
      const numbers = JSON.stringify(version.rules);
      return groups.set(numbers, [...(groups.get(numbers) ?? []), version]);
    }, new Map<string, readonly RoomVersion[]>())
    .values(),
];

const nameOf = (versions: readonly RoomVersion[]): string =>
  [...new Set([versions[0]?.id, versions.at(-1)?.id])].join(" to ");

const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");

/** Every rule by its name, from the table that the judge walks. */
export const rulesByName: ReadonlyMap<RuleName, Rule> = new Map(
  Object.values(rulesFor)
    .flatMap(({ first, last }) => [...first, last])
    .map((rule) => [rule.name, rule]),
);

const textIn = (rule: RuleName, [version]: readonly RoomVersion[]): string => {
  const text = rulesByName.get(rule)?.text ?? "";
  return typeof text === "string" || version === undefined ? String(text) : text(version);
};

/** A rule is a row; two where versions have it in other words. */
const rowsOf = (rule: RuleName): readonly (readonly string[])[] => {
  const numberIn = (versions: readonly RoomVersion[]): string | undefined => {
    const [version] = versions;
    return version === undefined ? undefined : rulesByName.get(rule)?.number(version.rules);
  };
  const having = columns.filter((versions) => numberIn(versions) !== undefined);
  return [...new Set(having.map((versions) => textIn(rule, versions)))].map((text) => [
    ...columns.map((versions) => (textIn(rule, versions) === text ? (numberIn(versions) ?? "–") : "–")),
    text,
    answersOf(rule, having.flat()).join(", "),
  ]);
};

/** The rules of an event, in the order in which they are asked, as the page shows them. */
export const rulesTable = (rules: readonly RuleName[]): string =>
  table([...columns.map((versions) => `in ${nameOf(versions)}`), "rule", "answer"], rules.flatMap(rowsOf));

const yes = (holds: boolean): string => (holds ? "yes" : "no");

/** What of a version has a say in invites, apart from the numbers. */
export const versionsTable = (): string =>
  table(
    [
      "version",
      "power without being named",
      "what stands for a level",
      "canonical JSON is strict",
      "`join_authorised_via_users_server`",
      "redaction keeps `signed`",
      "the room ID is the create event's",
    ],
    all.map((version) => [
      version.id,
      version.creators,
      version.levels,
      yes(version.strictCanonicalJson),
      yes(version.restrictedJoins),
      yes(version.redaction.keepsSigned),
      yes(version.roomIdIsCreateEvent),
    ]),
  );
