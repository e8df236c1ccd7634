/** The places that an event's `auth_events` are taken from hold all that has a say over it. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { authorize, roomState, selectAuthEvents } from "matrix-third-party-invites/judge";
import { nodeCrypto } from "matrix-third-party-invites/node";
import { cases, stateOf } from "./cases.js";
import type { FuzzProperty } from "./property.js";

export const authEventProperties: readonly FuzzProperty[] = [
  {
    name: "the selected auth events alone give the verdict of the whole state",
    cost: 1,
    share: 12,
    property: fc.property(cases, (one) => {
      const state = stateOf(one);
      const places = [...selectAuthEvents(one.event, state.version), { type: "m.room.create", stateKey: "" }];
      const selected = places.flatMap(({ type, stateKey }) => state.get(type, stateKey) ?? []);
      assert.deepEqual(
        authorize(one.event, roomState(state.roomId, state.version, selected), nodeCrypto),
        authorize(one.event, state, nodeCrypto),
      );
    }),
  },
];
