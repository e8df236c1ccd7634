// The types of PGlite name those of a browser and of Emscripten, which this package is checked without. pglite.d.ts has
// what the tests use of them.
export { PGlite } from "@electric-sql/pglite";
