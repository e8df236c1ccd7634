import { generate } from "selfsigned";

/** A key and a certificate for these names and IPv4 or IPv6 addresses, which is its own authority: trust it as `ca`. */
export const makeCertificate = async (
  names: readonly string[],
  addresses: readonly string[] = [],
): Promise<{ readonly key: string; readonly cert: string }> => {
  const made = await generate([{ name: "commonName", value: names[0] ?? "test" }], {
    keyType: "ec",
    algorithm: "sha256",
    extensions: [
      { name: "basicConstraints", cA: false },
      { name: "keyUsage", digitalSignature: true },
      { name: "extKeyUsage", serverAuth: true },
      {
        name: "subjectAltName",
        altNames: [
          ...names.map((value) => ({ type: 2 as const, value })),
          ...addresses.map((ip) => ({ type: 7 as const, ip })),
        ],
      },
    ],
  });
  return { key: made.private, cert: made.cert };
};
