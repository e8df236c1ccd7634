/** The statuses of an error about the request itself, which is found before a mail goes out. */
const beforeMail: ReadonlySet<number> = new Set([400, 401, 403, 404, 413]);

/**
 * Whether an error surely came before the mail. A 5xx does not: a mail server may take the mail, and fail afterwards.
 * Nor does `M_UNKNOWN`, or an errcode with 200.
 */
export const isBeforeMail = ({
  status,
  errcode,
}: {
  readonly status: number;
  readonly errcode: string;
}): boolean => beforeMail.has(status) && errcode !== "M_UNKNOWN";
