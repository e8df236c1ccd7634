// All that the core may know of its surroundings beyond the language itself. They exist in every runtime;
// the core is type-checked with these and no others (`src/tsconfig.core.json`).

interface AbortSignal {
  readonly aborted: boolean;
  addEventListener(type: "abort", listener: () => void): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

declare function setTimeout(run: () => void, ms: number): unknown;

declare class TextEncoder {
  encode(text: string): Uint8Array;
}

declare class TextDecoder {
  constructor(encoding: "utf-8", options: { readonly fatal: true; readonly ignoreBOM: true });
  decode(bytes: Uint8Array): string;
}

/** Its text form is the same everywhere; nothing is fetched. */
declare class URL {
  static canParse(url: string): boolean;
  constructor(url: string);
  readonly host: string;
}
