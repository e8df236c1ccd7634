import { isLeft } from "fp-ts/lib/Either.js";
import { member } from "../../matrix/json.js";
import { type UserHandler, done } from "./answer.js";
import { fault } from "./fault.js";
import { texts, withMembers } from "./request.js";
import type { IdentityState } from "./state.js";

const algorithms = ["sha256", "none"] as const;

/** `GET /hash_details`: how to hash addresses before a lookup. */
export const hashDetails: UserHandler = ({ state }) =>
  done(state, { algorithms, lookup_pepper: state.pepper });

const isText = (value: unknown): value is string => typeof value === "string";

/** The users by what a hashed lookup asks for. In clear, the state is already sorted by it. */
const usersByHash = (state: IdentityState): ReadonlyMap<string, string> => {
  const users = new Map<string, string>();
  for (const { lookupHash, mxid } of state.associations.values()) users.set(lookupHash, mxid);
  return users;
};

/**
 * `POST /lookup`: which of these addresses are bound, and to whom. Entries match exactly or
 * not at all. A pepper that is not today's, also under `none`, is 400 `M_INVALID_PEPPER` with the right one in the
 * body, as Sydent does; an unknown algorithm is 400 `M_INVALID_PARAM`.
 */
export const lookup: UserHandler = ({ state, request }) => {
  const body = withMembers(request.body, ["addresses", "algorithm", "pepper"]);
  if (isLeft(body)) return body;
  const addresses = member(body.right, "addresses");
  if (!Array.isArray(addresses)) return fault(400, "M_INVALID_PARAM", "addresses must be a list");
  if (!addresses.every(isText)) return fault(400, "M_INVALID_PARAM", "addresses must be a list of strings");
  const named = texts(body.right, ["algorithm", "pepper"]);
  if (isLeft(named)) return named;
  const { algorithm, pepper } = named.right;
  if (algorithm !== "sha256" && algorithm !== "none")
    return fault(400, "M_INVALID_PARAM", "algorithm is not supported");
  if (pepper !== state.pepper)
    return fault(400, "M_INVALID_PEPPER", `pepper does not match '${state.pepper}'`, {
      algorithm,
      lookup_pepper: state.pepper,
    });
  if (algorithm === "none")
    for (const address of addresses)
      if (address.trim().split(/\s+/).length !== 2)
        return fault(400, "M_UNKNOWN", `Invalid "address medium" pair: "${address}"`);
  const hashed = algorithm === "sha256" ? usersByHash(state) : undefined;
  const userOf = (address: string): string | undefined =>
    hashed === undefined ? state.associations.get(address)?.mxid : hashed.get(address);
  const found = addresses.flatMap((address) => {
    const mxid = userOf(address);
    return mxid === undefined ? [] : [[address, mxid] as const];
  });
  return done(state, { mappings: Object.fromEntries(found) });
};
