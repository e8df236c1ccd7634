/**
 * The sections of the Matrix specification that this library implements, each under a plain name. All of them are of
 * one release of the specification, v1.19.
 */
export const specification = {
  authorisationRules: "https://spec.matrix.org/v1.19/server-server-api/#authorisation-rules",
  authorisationRulesOf1: "https://spec.matrix.org/v1.19/rooms/v1/#authorisation-rules",
  authorisationRulesOf2: "https://spec.matrix.org/v1.19/rooms/v2/#authorisation-rules",
  authorisationRulesOf3: "https://spec.matrix.org/v1.19/rooms/v3/#authorisation-rules",
  authorisationRulesOf4: "https://spec.matrix.org/v1.19/rooms/v4/#authorisation-rules",
  authorisationRulesOf5: "https://spec.matrix.org/v1.19/rooms/v5/#authorisation-rules",
  authorisationRulesOf6: "https://spec.matrix.org/v1.19/rooms/v6/#authorisation-rules",
  authorisationRulesOf7: "https://spec.matrix.org/v1.19/rooms/v7/#authorisation-rules",
  authorisationRulesOf8: "https://spec.matrix.org/v1.19/rooms/v8/#authorisation-rules",
  authorisationRulesOf9: "https://spec.matrix.org/v1.19/rooms/v9/#authorisation-rules",
  authorisationRulesOf10: "https://spec.matrix.org/v1.19/rooms/v10/#authorisation-rules",
  authorisationRulesOf11: "https://spec.matrix.org/v1.19/rooms/v11/#authorisation-rules",
  authorisationRulesOf12: "https://spec.matrix.org/v1.19/rooms/v12/#authorisation-rules",
} as const;

const sections: Readonly<Record<string, string | undefined>> = specification;

/**
 * The authorisation rules of a room version; of a version that is not in the specification, the section that all of
 * them refine.
 */
export const authorisationRulesOf = (roomVersion: string): string =>
  sections[`authorisationRulesOf${roomVersion}`] ?? specification.authorisationRules;
