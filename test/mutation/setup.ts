import fc from "fast-check";

// Few runs, and the same ones each time: a score that chance moves is no score. And a mutant is dead without a smallest example.
fc.configureGlobal({ numRuns: 20, seed: 1, endOnFailure: true });
