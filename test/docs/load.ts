/** An example as a module. They are JavaScript: `T` is what the test takes it for. */
export const load = async <T>(folder: string, name: string): Promise<T> =>
  (await import(`../../docs/examples/${folder}/${name}.js`)) as T;
