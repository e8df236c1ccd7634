import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { proveInvite } from "matrix-third-party-invites/decisions";
import { type RoomVersion, roomVersion } from "matrix-third-party-invites/judge";
import {
  contentHashMatches,
  decodeBase64,
  domainOf,
  eventId,
  isJsonObject,
  roomIdOfCreate,
  verifyPdu,
} from "matrix-third-party-invites/matrix";
import type { JsonObject } from "matrix-third-party-invites/ports";
import { portableCrypto } from "matrix-third-party-invites/portable";
import { right } from "fp-ts/lib/Either.js";
import { beforeAll, describe, expect, test } from "vitest";
import { at, listAt, parseJson, textAt } from "../../docs/examples/homeserver/json.js";
import { tellStory } from "../../docs/examples/demo/story.js";
import { Transcript } from "../../docs/examples/demo/transcript.js";
import { openWorld } from "../../docs/examples/demo/world.js";
import { type Ran, runExample } from "./run-example.js";

const stepsPerRoom = 11;

const versionOf = (line: JsonObject): RoomVersion => {
  const version = roomVersion(textAt(line, "roomVersion"));
  if (version === undefined) throw new Error("A room version that is not known.");
  return version;
};

const pduOf = (line: JsonObject): JsonObject => {
  const pdu = line["pdu"];
  if (!isJsonObject(pdu)) throw new Error("An event without its PDU.");
  return pdu;
};

describe("the demo for people", () => {
  test("ends well and says so", async () => {
    const { code, stdout, stderr } = await runExample("demo/main.ts");
    expect(code, stderr).toBe(0);
    expect(stdout).toContain(`All ${2 * stepsPerRoom} steps went as expected.`);
    expect(stdout).not.toContain("NOT as expected");
    expect(stdout).not.toContain("@mail.example");
  });

  test("says which step went otherwise than expected", async () => {
    const printed: string[] = [];
    const transcript = new Transcript((line) => {
      printed.push(line);
    });
    const world = await openWorld(transcript);
    try {
      world.identityServer.rateLimit();
      await expect(tellStory(world, "12")).rejects.toThrow(
        /The invite should be answered 200.*M_LIMIT_EXCEEDED/,
      );
    } finally {
      await world.close();
    }
    expect(transcript.steps.map(({ ok }) => ok)).toEqual([true, false]);
    expect(printed.at(-1)).toContain("NOT as expected");
  });
});

describe("a demo that was stopped between steps", () => {
  test("goes on with the next one, and ends as one that was not", async () => {
    const folder = mkdtempSync(join(tmpdir(), "demo-test-"));
    try {
      const first = await runExample("demo/main.ts", "--data", folder, "--steps", "7");
      expect(first).toMatchObject({ code: 0, stderr: "" });
      expect(first.stdout).toContain("Stopped after 7 steps.");
      const second = await runExample("demo/main.ts", "--data", folder, "--steps", "9");
      expect(second.stdout).toContain("Stopped after 16 steps.");
      const third = await runExample("demo/main.ts", "--data", folder, "--json");
      expect(third).toMatchObject({ code: 0, stderr: "" });
      const document = parseJson(third.stdout);
      expect(listAt(document, "steps")).toHaveLength(2 * stepsPerRoom);
      expect(listAt(document, "events")).toHaveLength(60);
      const last = await runExample("demo/main.ts", "--data", folder);
      expect(last.stdout).toContain(`All ${2 * stepsPerRoom} steps went as expected.`);
      expect(last.stdout.match(/done in an earlier run/g)).toHaveLength(2 * stepsPerRoom);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("the demo for programs", () => {
  let ran: Ran = { code: null, stdout: "", stderr: "" };
  let document: unknown;
  const lines = (name: string): readonly JsonObject[] => listAt(document, name).filter(isJsonObject);
  const keyOf = (name: string) => {
    const server = lines("servers").find((one) => one["name"] === name);
    return {
      entity: name,
      keyId: textAt(server, "keyId"),
      publicKey: decodeBase64(textAt(server, "publicKey")) ?? new Uint8Array(),
    };
  };
  const provenInvites = (): readonly JsonObject[] =>
    lines("events").filter((line) => at(line, "pdu", "content", "third_party_invite") !== undefined);

  beforeAll(async () => {
    ran = await runExample("demo/main.ts", "--json");
    document = parseJson(ran.stdout);
  }, 30_000);

  test("is one JSON document of which every step is as expected", () => {
    expect(ran.code, ran.stderr).toBe(0);
    expect(lines("rooms").map((room) => room["roomVersion"])).toEqual(["12", "10"]);
    expect(lines("steps")).toHaveLength(2 * stepsPerRoom);
    expect(lines("steps").filter((step) => step["ok"] !== true)).toEqual([]);
    expect(textAt(document, "identityServer", "name")).toBe("id.example");
    expect(textAt(document, "identityServer", "keyId")).toBe("ed25519:0");
    expect(decodeBase64(textAt(document, "identityServer", "publicKey"))).toHaveLength(32);
  });

  test("has every request with its answer", () => {
    const requests = lines("requests");
    for (const request of requests) {
      expect(Object.keys(request)).toEqual(["from", "to", "method", "path", "body", "status", "response"]);
      expect(request["status"]).toBeGreaterThanOrEqual(200);
      expect(isJsonObject(request["response"])).toBe(true);
    }
    const forbidden = requests.filter((request) => request["status"] !== 200);
    // For each room: Carol's invite, the forged proof, the revoked one.
    expect(forbidden.map((request) => request["status"])).toEqual([403, 403, 403, 403, 403, 403]);
  });

  test("has only events whose content hash, ID and sender's signature are good", () => {
    // 15 events in each of two rooms on each of two servers.
    expect(lines("events")).toHaveLength(60);
    for (const line of lines("events")) {
      const [version, pdu] = [versionOf(line), pduOf(line)];
      const signer = keyOf(domainOf(textAt(pdu, "sender")));
      expect(contentHashMatches(portableCrypto, pdu, version)).toBe(true);
      expect(eventId(portableCrypto, pdu, version)).toEqual(right(line["eventId"]));
      expect(verifyPdu(portableCrypto, pdu, version, signer)).toEqual(right(undefined));
      if (pdu["type"] === "m.room.create")
        expect(roomIdOfCreate(portableCrypto, pdu, version)).toEqual(right(line["roomId"]));
      else expect(pdu["room_id"]).toBe(line["roomId"]);
      expect(JSON.stringify(pdu)).not.toContain("@mail.example");
    }
  });

  test("has invites of another server's users signed by that server, too", () => {
    const remote = lines("events").filter(
      ({ pdu }) =>
        textAt(pdu, "content", "membership") === "invite" &&
        domainOf(textAt(pdu, "state_key")) !== domainOf(textAt(pdu, "sender")),
    );
    // Zoe, Bob and Una, on two servers, in two rooms.
    expect(remote).toHaveLength(12);
    for (const line of remote) {
      const signer = keyOf(domainOf(textAt(line, "pdu", "state_key")));
      expect(verifyPdu(portableCrypto, pduOf(line), versionOf(line), signer)).toEqual(right(undefined));
    }
  });

  test("has proven invites whose proof is good", () => {
    // Zoe and Una, on two servers, in two rooms.
    expect(provenInvites()).toHaveLength(8);
    for (const line of provenInvites()) {
      const signed = at(line, "pdu", "content", "third_party_invite", "signed");
      const token = lines("events").find(
        ({ roomId, pdu }) =>
          roomId === line["roomId"] &&
          textAt(pdu, "type") === "m.room.third_party_invite" &&
          textAt(pdu, "state_key") === textAt(signed, "token"),
      );
      const content = at(token, "pdu", "content");
      if (!isJsonObject(signed) || !isJsonObject(content)) throw new Error("A proof without its parts.");
      expect(proveInvite({ crypto: portableCrypto, version: versionOf(line) }, signed, content)._tag).toBe(
        "Proven",
      );
    }
  });

  test("has both servers agree on the events of each room", () => {
    const eventIds = (server: string): readonly unknown[] =>
      lines("events")
        .filter((line) => line["server"] === server)
        .map((line) => line["eventId"])
        .sort();
    expect(eventIds("hs2.example")).toEqual(eventIds("hs1.example"));
  });
});
