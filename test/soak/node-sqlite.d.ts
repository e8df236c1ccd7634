// What the soak uses of a module that the types of the oldest Node do not have.

declare module "node:sqlite" {
  export class DatabaseSync {
    constructor(file: string);
    exec(statement: string): void;
    prepare(statement: string): {
      all(...params: string[]): Record<string, unknown>[];
    };
    close(): void;
  }
}
