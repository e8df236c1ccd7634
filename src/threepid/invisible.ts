/**
 * Characters that nobody sees, or that change how others are shown: controls, zero-width and other format characters,
 * separators of lines, half surrogates, private ones, and those that are shown as nothing (U+3164, U+FE0F) or as a blank
 * (U+2800). Plain spaces are none of them.
 */
const invisible =
  /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\u2800]/u;

/** Whether a text holds a character that could make it look like another text. */
export const hasInvisible = (text: string): boolean => invisible.test(text);
