/**
 * An example as a module, where its types cannot be had: those of its framework name the types of a browser, which this
 * package is checked without. `T` is what the test takes it for.
 */
export const load = async <T>(folder: string, name: string): Promise<T> =>
  (await import(`../../docs/examples/${folder}/${name}.ts`)) as T;
