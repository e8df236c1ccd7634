import type { Score } from "../figure.js";

/** An input, and what everybody must make of it. */
export interface Trial<Input, Answer> {
  readonly kind: string;
  readonly input: Input;
  readonly expected: Answer;
}

/** What somebody makes of an input; `refused` where it throws. */
const answerOf = <Input, Answer>(answer: (input: Input) => Answer, refused: Answer, input: Input): Answer => {
  try {
    return answer(input);
  } catch {
    return refused;
  }
};

/** How many of the trials somebody gets right. */
export const scoreOf = <Input, Answer>(
  trials: readonly Trial<Input, Answer>[],
  answer: (input: Input) => Answer,
  refused: Answer,
): Score => {
  const wrong: Record<string, number> = {};
  for (const { kind, input, expected } of trials)
    if (answerOf(answer, refused, input) !== expected) wrong[kind] = (wrong[kind] ?? 0) + 1;
  const count = Object.values(wrong).reduce((sum, each) => sum + each, 0);
  return { right: trials.length - count, of: trials.length, wrong };
};

/** Where they are right on everything, we should be no slower. */
export const targetOver = ({ right, of }: Score): number | null => (right === of ? 1 : null);
