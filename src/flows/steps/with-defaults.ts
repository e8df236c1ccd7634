/** Settings over their defaults. One that is given as `undefined` is not given. */
export const withDefaults = <Settings extends object>(
  defaults: Settings,
  given: Partial<Settings> | undefined,
): Settings => ({
  ...defaults,
  ...Object.fromEntries(Object.entries(given ?? {}).filter(([, value]) => value !== undefined)),
});
