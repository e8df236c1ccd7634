const freeze = (value: unknown): void => {
  if (typeof value !== "object" || value === null) return;
  Object.values(value).forEach(freeze);
  Object.freeze(value);
};

/** A copy that nobody can change, all the way down; what was copied may go on changing. */
export const frozenCopy = <T>(value: T): T => {
  const copy = structuredClone(value);
  freeze(copy);
  return copy;
};
