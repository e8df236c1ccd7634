// Packs the library and uses it as a stranger does: installed from its tarball into an empty folder, imported by
// name, from JavaScript and from a strictly checked TypeScript file.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "from-tarball-"));
const inFolder = (command, ...args) =>
  execFileSync(command, args, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });

const use = `
import { authorize, inviteByThreePid, parseInviteRequest, roomState, roomVersion } from "matrix-third-party-invites";
import { nodeCrypto } from "matrix-third-party-invites/node";
import { portableCrypto } from "matrix-third-party-invites/portable";
import { migrate, postgresInvites } from "matrix-third-party-invites/postgres";
import { createIdentityServer, memoryInvites, storageContract } from "matrix-third-party-invites/testing";

const version = roomVersion("12");
if (version === undefined) throw new Error("room version 12 is missing");
const state = roomState("!room", version, []);
const verdicts = [nodeCrypto, portableCrypto].map(
  (crypto) => authorize({ type: "m.room.third_party_invite", room_id: "!room" }, state, crypto)._tag,
);
const form = parseInviteRequest({ user_id: "@bob:example.org" });
const made = [inviteByThreePid, createIdentityServer, memoryInvites, storageContract, migrate, postgresInvites];
console.log([...verdicts, form._tag, ...new Set(made.map((each) => typeof each))].join(" "));
`;

try {
  const [packed] = JSON.parse(
    execFileSync("npm", ["pack", "--json", "--pack-destination", folder], { cwd: root, encoding: "utf8" }),
  );
  const stray = packed.files
    .map(({ path }) => path)
    .filter((path) => !/^(dist\/|package\.json|README\.md|LICENSE|CHANGELOG\.md)/.test(path));
  if (stray.length > 0) throw new Error(`the tarball holds ${stray.join(", ")}`);

  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }));
  inFolder("npm", "install", "--no-audit", "--no-fund", "--no-package-lock", `./${packed.filename}`);
  writeFileSync(join(folder, "use.ts"), use);
  writeFileSync(join(folder, "use.mjs"), use);

  const said = inFolder(process.execPath, "use.mjs").trim();
  const expected = "Reject Reject Right function";
  if (said !== expected) throw new Error(`the packed library said "${said}", not "${expected}"`);

  symlinkSync(join(root, "node_modules/@types"), join(folder, "node_modules/@types"));
  inFolder(
    process.execPath,
    join(root, "node_modules/typescript/bin/tsc"),
    ...["--noEmit", "--strict", "--module", "nodenext", "--target", "es2023", "--types", "node", "use.ts"],
  );
  console.log(
    `${packed.filename}: ${packed.files.length} files, ${packed.size} bytes; imports and types are good`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
