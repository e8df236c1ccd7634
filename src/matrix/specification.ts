import { roomVersionIds } from "./room-version.js";

const release = "https://spec.matrix.org/v1.19";

/**
 * Where the specification has the authorisation rules of a room version; of a version that it does not have, the section
 * that all of them refine.
 */
export const authorisationRulesOf = (roomVersion: string): string =>
  roomVersionIds.includes(roomVersion)
    ? `${release}/rooms/v${roomVersion}/#authorisation-rules`
    : `${release}/server-server-api/#authorisation-rules`;
