/**
 * A text as a column has it. Strangers write tokens, and the text of a database may hold neither U+0000 nor half a
 * surrogate pair: these, quotation marks and backslashes stand as JSON escapes them. Everything else is itself.
 */
export const escapedText = (text: string): string => JSON.stringify(text).slice(1, -1);
