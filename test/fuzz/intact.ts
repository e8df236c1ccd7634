const isReference = (value: unknown): value is object =>
  (typeof value === "object" && value !== null) || typeof value === "function";

const tryTo = <A>(act: () => A): A | undefined => {
  try {
    return act();
  } catch {
    // A proxy may throw at anything.
    return undefined;
  }
};

/**
 * Freezes a value with all that hangs on it, so that whoever writes to it throws. Bytes cannot be frozen: the function
 * that comes back says whether they are as they were. Reads no getter, and no depth exhausts the stack.
 */
export const frozen = (value: unknown): (() => boolean) => {
  const bytes: { readonly now: Uint8Array; readonly before: Uint8Array }[] = [];
  const seen = new Set<object>();
  const waiting: unknown[] = [value];
  while (waiting.length > 0) {
    const one = waiting.pop();
    if (!isReference(one) || seen.has(one)) continue;
    seen.add(one);
    if (one instanceof Uint8Array) bytes.push({ now: one, before: Uint8Array.from(one) });
    if (ArrayBuffer.isView(one)) continue;
    // What is frozen was frozen here with all its members, or has none: constants come again and again.
    if (tryTo(() => Object.isFrozen(one)) !== false) continue;
    const members = tryTo(() => Object.values(Object.getOwnPropertyDescriptors(one))) ?? [];
    for (const { value: member } of members) waiting.push(member);
    tryTo(() => Object.freeze(one));
  }
  return () => bytes.every(({ now, before }) => Buffer.compare(now, before) === 0);
};
