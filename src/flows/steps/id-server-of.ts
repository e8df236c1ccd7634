import { isRight } from "fp-ts/lib/Either.js";
import { parseIdentityServerName } from "../../invite/identity-server-name.js";
import type { ServerName } from "../../matrix/ids.js";
import { member } from "../../matrix/json.js";

/** The identity server that a question of its port goes to: its name, or the host of a URL. */
export const idServerOf = (question: unknown): ServerName | undefined => {
  const named =
    typeof question === "string" ? /^https:\/\/([^/?#]+)/i.exec(question)?.[1] : member(question, "idServer");
  const parsed = parseIdentityServerName(named);
  return isRight(parsed) ? parsed.right : undefined;
};
