import { type Ports, invite, matrixError } from "matrix-third-party-invites";

export const answerInvite = (ports: Ports) => async (roomId: string, userId: string, body: unknown) => {
  const result = await invite(ports)({ roomId, requester: { userId }, body });
  if (result._tag === "Left") return matrixError(result.left);
  return { status: 200, body: {} }; // the compiler knows `result.right` from here on
};
