/**
 * The sections of the Matrix specification that this library implements, each under a plain name: whatever links into
 * the specification, links to one of them. All of them are of one release, v1.19.
 */
export const specification = {
  unpaddedBase64: "https://spec.matrix.org/v1.19/appendices/#unpadded-base64",
  urlSafeBase64: "https://spec.matrix.org/v1.19/appendices/#url-safe-unpadded-base64",
  canonicalJson: "https://spec.matrix.org/v1.19/appendices/#canonical-json",
  signingJson: "https://spec.matrix.org/v1.19/appendices/#signing-details",
  checkingSignatures: "https://spec.matrix.org/v1.19/appendices/#checking-for-a-signature",
  serverNames: "https://spec.matrix.org/v1.19/appendices/#server-name",
  userIds: "https://spec.matrix.org/v1.19/appendices/#user-identifiers",
  historicalUserIds: "https://spec.matrix.org/v1.19/appendices/#historical-user-ids",
  roomIds: "https://spec.matrix.org/v1.19/appendices/#room-ids",
  emailAddresses: "https://spec.matrix.org/v1.19/appendices/#e-mail",
  phoneNumbers: "https://spec.matrix.org/v1.19/appendices/#pstn-phone-numbers",
  eventSize: "https://spec.matrix.org/v1.19/client-server-api/#size-limits",
  createEvents: "https://spec.matrix.org/v1.19/client-server-api/#mroomcreate",
  memberEvents: "https://spec.matrix.org/v1.19/client-server-api/#mroommember",
  powerLevels: "https://spec.matrix.org/v1.19/client-server-api/#mroompower_levels",
  thirdPartyInvites: "https://spec.matrix.org/v1.19/client-server-api/#third-party-invites",
  thirdPartyInviteEvents: "https://spec.matrix.org/v1.19/client-server-api/#mroomthird_party_invite",
  invitingByUserId: "https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidinvite",
  invitingByThirdPartyId:
    "https://spec.matrix.org/v1.19/client-server-api/#thirdparty_post_matrixclientv3roomsroomidinvite",
  guestAccess: "https://spec.matrix.org/v1.19/client-server-api/#guest-access",
  accountSuspension: "https://spec.matrix.org/v1.19/client-server-api/#account-suspension",
  strippedState: "https://spec.matrix.org/v1.19/client-server-api/#stripped-state",
  checksOnReceipt: "https://spec.matrix.org/v1.19/server-server-api/#checks-performed-on-receipt-of-a-pdu",
  authorisationRules: "https://spec.matrix.org/v1.19/server-server-api/#authorisation-rules",
  authEventsSelection: "https://spec.matrix.org/v1.19/server-server-api/#auth-events-selection",
  invitingOverFederation:
    "https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv2inviteroomideventid",
  invitingOverFederation1:
    "https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv1inviteroomideventid",
  publishingKeys: "https://spec.matrix.org/v1.19/server-server-api/#publishing-keys",
  deliveringThirdPartyInvites:
    "https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv13pidonbind",
  exchangingThirdPartyInvites:
    "https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv1exchange_third_party_inviteroomid",
  verifyingThirdPartyInvites: "https://spec.matrix.org/v1.19/server-server-api/#verifying-the-invite",
  signingRequests: "https://spec.matrix.org/v1.19/server-server-api/#request-authentication",
  signingEvents:
    "https://spec.matrix.org/v1.19/server-server-api/#adding-hashes-and-signatures-to-outgoing-events",
  validatingEvents:
    "https://spec.matrix.org/v1.19/server-server-api/#validating-hashes-and-signatures-on-received-events",
  referenceHash:
    "https://spec.matrix.org/v1.19/server-server-api/#calculating-the-reference-hash-for-an-event",
  contentHash: "https://spec.matrix.org/v1.19/server-server-api/#calculating-the-content-hash-for-an-event",
  identityServers: "https://spec.matrix.org/v1.19/identity-service-api/#api-standards",
  lookupSha256: "https://spec.matrix.org/v1.19/identity-service-api/#sha256",
  lookupNone: "https://spec.matrix.org/v1.19/identity-service-api/#none",
  storingInvites: "https://spec.matrix.org/v1.19/identity-service-api/#post_matrixidentityv2store-invite",
  keyValidity: "https://spec.matrix.org/v1.19/identity-service-api/#get_matrixidentityv2pubkeyisvalid",
  eventIdsOf4: "https://spec.matrix.org/v1.19/rooms/v4/#event-ids",
  keyValidityPeriodOf5: "https://spec.matrix.org/v1.19/rooms/v5/#signing-key-validity-period",
  canonicalJsonOf6: "https://spec.matrix.org/v1.19/rooms/v6/#canonical-json",
  powerLevelsOf10:
    "https://spec.matrix.org/v1.19/rooms/v10/#values-in-mroompower_levels-events-must-be-integers",
  redactionsOf11: "https://spec.matrix.org/v1.19/rooms/v11/#redactions",
  eventFormatOf12: "https://spec.matrix.org/v1.19/rooms/v12/#event-format",
  creatingRooms: "https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3createroom",
  joiningRooms: "https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidjoin",
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
