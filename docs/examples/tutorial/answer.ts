import { type ThirdPartyInvites, matrixError } from "matrix-third-party-invites";

export const answerInvite =
  (invites: ThirdPartyInvites) => async (roomId: string, userId: string, body: unknown) => {
    const result = await invites.invite({ roomId, requester: { userId }, body });
    if (result._tag === "Left") return matrixError(result.left);
    return { status: 200, body: {} };
  };
