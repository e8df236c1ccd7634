// What the examples use of drivers that this project does not install.

declare module "node:sqlite" {
  export class DatabaseSync {
    constructor(file: string);
    exec(statement: string): void;
    prepare(statement: string): {
      all(...params: string[]): Record<string, unknown>[];
    };
  }
}

declare module "better-sqlite3" {
  export default class Database {
    constructor(file: string, options: { timeout: number });
    pragma(text: string): unknown;
    prepare(statement: string): {
      readonly reader: boolean;
      all(...params: string[]): Record<string, unknown>[];
      run(...params: string[]): void;
    };
  }
}

declare module "bun:sqlite" {
  export class Database {
    constructor(file: string);
    run(statement: string): void;
    query(statement: string): { all(...params: string[]): unknown[] };
  }
}
