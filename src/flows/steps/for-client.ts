import type { Problem } from "./step.js";

/**
 * What another server says of a request of ours, for our client: a parameter that is wrong there is none of the client's,
 * and a version of a room that the other server does not know has a name of its own in the client's API.
 *
 * A 400 with these codes should become a 5xx: https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv2inviteroomideventid
 */
export const forClient = (problem: Problem): Problem => {
  if (problem.code !== "AppendRefused" && problem.code !== "ExchangeRefused") return problem;
  switch (problem.errcode) {
    case "M_INVALID_PARAM":
    case "M_MISSING_PARAM":
      return { ...problem, errcode: "M_UNKNOWN", status: 502 };
    case "M_INCOMPATIBLE_ROOM_VERSION":
      return { ...problem, errcode: "M_UNSUPPORTED_ROOM_VERSION" };
    default:
      return problem;
  }
};
