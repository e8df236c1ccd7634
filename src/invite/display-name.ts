import { foldCase } from "../threepid/case-fold.js";
import { hasInvisible } from "../threepid/invisible.js";
import type { Threepid } from "../threepid/threepid.js";

const maxLength = 255;

const hint = (part: string, shown: number): string => {
  const characters = Array.from(part);
  // Never the whole of a part: of a short one nothing is shown.
  return `${characters.length > shown ? characters.slice(0, shown).join("") : ""}...`;
};

/** Our own stand-in for an address, such as `zo...@ex...`. */
const redacted = ({ medium, address }: Threepid): string => {
  if (medium === "msisdn") return "...";
  const at = address.lastIndexOf("@");
  return `${hint(address.slice(0, at), 2)}@${hint(address.slice(at + 1), 2)}`;
};

/** Whether a text lets a reader know the address: it holds the whole of it, or both of its halves. */
const givesAway = (text: string, { medium, address }: Threepid): boolean => {
  const folded = foldCase(text);
  if (medium === "msisdn") return folded.replace(/[^0-9]/g, "").includes(address);
  const at = address.lastIndexOf("@");
  return folded.includes(address.slice(0, at)) && folded.includes(address.slice(at + 1));
};

/** Something that can be seen: marks alone are drawn onto nothing. */
const visible = /[\p{L}\p{N}\p{P}\p{S}]/u;

/**
 * The name to show for an invitee whose user is not known: the identity server's own, unless it is missing, shows nothing,
 * has control or invisible characters, is far too long, or gives the address away. The mail is out by then, so a careless name is replaced
 * rather than refused.
 */
export const safeDisplayName = (given: string | undefined, threepid: Threepid): string =>
  given === undefined ||
  given.length > maxLength ||
  !visible.test(given) ||
  hasInvisible(given) ||
  givesAway(given, threepid)
    ? redacted(threepid)
    : given;
