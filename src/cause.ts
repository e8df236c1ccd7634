/**
 * What a port failed with, for the host's own log: a copy of the error that has its usual texts and nothing else, so that
 * what a driver adds (the parameters of a statement) is left out. No text has what looks like an address or a phone
 * number, nor an address, a token or a signature that the call was made with.
 */
export interface Cause {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
  readonly syscall?: string;
  readonly stack?: string;
  readonly cause?: Cause;
  /** Of an error of several attempts. */
  readonly errors?: readonly Cause[];
}

const hidden = "[hidden]";

/** Bounds on what a log gets, however an error is made. Several attempts are listed only near its top. */
const maxLength = 4_000;
const maxDepth = 4;
const maxErrors = 4;
const maxErrorsDepth = 2;

/** What stands between blanks, quotation marks and angle brackets, none of which an address has. */
const word = /[^\s<>"]+/g;

/** A path of a stack is no address. */
const scope = /node_modules\/@[\w.-]+\//g;

const isAddress = (text: string): boolean => /[^@]@|%40/i.test(text.replace(scope, ""));

/** Longer than any number that means something in an error; no phone number is shorter. */
const phoneNumber = /\+?[0-9]{7,}/g;

const scrubbed = (text: string, secrets: readonly string[]): string => {
  let clean = text;
  for (const secret of secrets) clean = clean.replaceAll(secret, hidden);
  return clean
    .replace(word, (part) => (isAddress(part) ? hidden : part))
    .replace(phoneNumber, hidden)
    .slice(0, maxLength);
};

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null;

const describe = (thrown: unknown, secrets: readonly string[], depth: number): Cause => {
  if (!isRecord(thrown)) return { name: "Error", message: scrubbed(String(thrown), secrets) };
  const { name, message, code, syscall, stack, cause, errors } = thrown;
  const text = (member: string, value: unknown): Readonly<Record<string, string>> =>
    typeof value === "string" || typeof value === "number"
      ? { [member]: scrubbed(String(value), secrets) }
      : {};
  const below = (value: unknown): Cause => describe(value, secrets, depth + 1);
  return {
    name: "Error",
    message: "",
    ...text("name", name),
    ...text("message", message),
    ...text("code", code),
    ...text("syscall", syscall),
    ...text("stack", stack),
    ...(cause === undefined || depth >= maxDepth ? {} : { cause: below(cause) }),
    ...(Array.isArray(errors) && depth < maxErrorsDepth
      ? { errors: errors.slice(0, maxErrors).map(below) }
      : {}),
  };
};

/** The {@link Cause} of what was thrown, or of a cause. It hides these texts wherever they stand. Never throws. */
export const causeOf = (thrown: unknown, secrets: readonly string[] = []): Cause => {
  try {
    return describe(thrown, secrets, 0);
  } catch {
    // Getters and proxies can throw.
    return { name: "Error", message: "" };
  }
};

const secretNames: ReadonlySet<string> = new Set([
  "address",
  "addresses",
  "accessToken",
  "token",
  "tokens",
  "signatures",
]);

/** The addresses, tokens and signatures in what a port is asked. */
export const secretsIn = (question: unknown): readonly string[] => {
  const found = new Set<string>();
  const waiting: (readonly [value: unknown, isSecret: boolean])[] = [[question, false]];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const [value, isSecret] = next;
    if (typeof value === "string") {
      // A lookup in clear has the medium behind the address.
      if (isSecret && value !== "") found.add(value).add(value.replace(/ (?:email|msisdn)$/, ""));
    } else if (Array.isArray(value)) {
      for (const item of value as readonly unknown[]) waiting.push([item, isSecret]);
    } else if (isRecord(value)) {
      for (const [name, item] of Object.entries(value))
        waiting.push([item, isSecret || secretNames.has(name)]);
    }
  }
  // A secret may be a part of another.
  return [...found].sort((one, other) => other.length - one.length);
};
