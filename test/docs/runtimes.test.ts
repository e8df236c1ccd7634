import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { parseServerName } from "matrix-third-party-invites/matrix";
import { expect, it } from "vitest";
import { identityServer } from "../../docs/examples/runtimes/plain-http.js";
import { must } from "../flows/samples.js";

it("docs/how-to/runtimes.md reaches an identity server over plain HTTP", async () => {
  const server = createServer((_, response) => {
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ algorithms: ["sha256"], lookup_pepper: "pepper" }));
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  try {
    const idServer = must(parseServerName(`127.0.0.1:${(server.address() as AddressInfo).port}`));
    const answer = await identityServer.hashDetails({ idServer, accessToken: "token" }, {});
    expect(JSON.stringify(answer)).toContain("pepper");
  } finally {
    server.close();
  }
});
