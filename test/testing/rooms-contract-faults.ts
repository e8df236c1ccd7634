const near = "snapshot has nothing where nothing stands, however near its name is to another";
const odd = "a content comes back byte for byte: numbers, odd keys, odd texts";
const left = "snapshot and tokens say NotResident of a room that was left, and of no other";
const changed = "an entry that has changed is a Conflict, and nothing is appended";
const foreign = "append takes a proven invite of another server's user, and leaves its sender as it is";
const second = "of two events at once the second stands on the first";
const dying = "an append leaves all of its events or none, whichever of its writes the process dies at";

/**
 * What the toy can be told to do wrong, each a mistake that a real host could make; and the check that must catch it, by its
 * name. Others may as well.
 */
export const caughtBy = {
  "snapshot is a live view": "snapshot shows one point: what comes later does not show in it",
  "snapshot is late with other servers' events": "snapshot shows what came just before",
  "snapshot reads entry by entry": "a snapshot has all of its entries at one point while the room changes",
  "snapshot takes its revision last":
    "a revision belongs to what its snapshot showed, also where the room changes meanwhile",
  "snapshot forgets what was emptied":
    "snapshot has an event whose content was emptied: it still stands there",
  "snapshot names the first sender": "snapshot has each entry that was named, as it stands",
  "names have no case": near,
  "names are joined by a colon": near,
  "names are members of an object": near,
  "all rooms have one version": "snapshot has the room's version",
  "rooms are one": "snapshot keeps rooms apart",
  "an unknown room is an empty one":
    "snapshot and tokens say NotResident of a room that this server is not in",
  "a room that was left answers still": left,
  "a signal is taken for aborted": "a signal that nobody aborts changes nothing",
  "tokens forgets what was emptied": "tokens has those with an empty content too",
  "tokens lists events":
    "tokens has the state keys of all m.room.third_party_invite, of both servers, each once",
  "tokens lists all rooms": "tokens has none of another room",
  "tokens compares beginnings of types": "tokens has no state key of another type",
  "tokens trims": "tokens and snapshot have odd state keys as they are: another server chose them",
  "append answers without storing": "what was appended is in the next snapshot and in the next tokens",
  "append replaces nothing": "an event takes the place of the one that stood there",
  "append takes tokens alone": "append takes an invite as well as a token's event",
  "append takes no other server's user": foreign,
  "append writes itself as the sender": foreign,
  "content loses __proto__": odd,
  "content's numbers have 32 bits": odd,
  "content is normalised": odd,
  "content is cleaned of what events have": odd,
  "content is the caller's own": "what was appended stays, whatever the caller does to its own copy",
  "append takes the first event alone":
    "a resend appends both: the new token's event and the emptied old one",
  "append takes fifty events": "append takes several events, more than a room's tokens are emptied at once",
  "append reverses": "events are appended in their order: of two in one place the later one stands",
  "append goes where the event says": "an event of another room is appended nowhere, nor what comes with it",
  "append looks at an event when its turn comes":
    "an event that cannot be one is not appended, nor what comes with it",
  "append never conflicts": changed,
  "a conflict leaves the first event": changed,
  "append compares the first read alone": "each entry that was read is looked at, the last one too",
  "what appears is no change": "an entry that was not there and now is, is a Conflict",
  "append compares contents": "an entry that has changed and changed back is a Conflict",
  "an append is no change": "what one has appended is a change like any other",
  "a newer snapshot freshens an older one":
    "an old revision is a Conflict also where a newer one was given since",
  "any change is a conflict": "no other change is a Conflict",
  "any entry of the snapshot is a conflict": "a snapshot may have asked for more than was read",
  "a conflict lasts": "after a Conflict a new snapshot goes through",
  "append goes to rooms that were left":
    "append to a room that was left is a Conflict: the next snapshot tells",
  "append looks, and stores later":
    "of racing appends that read what each other changes exactly one goes through",
  "append locks others out": "racing appends that read nothing of each other's all go through",
  "a conflict leaves the last event":
    "of racing resends one stands with both of its events, and nothing of the others",
  "append shows its events one by one": "append shows all of its events or none of them while it runs",
  "append answers before it stores": "what one has appended, everybody sees as soon as it is answered",
  "append writes its events one by one": dying,
  "a restart forgets the last event": "what append has answered outlives the process",
  "a restart counts from one again": "a revision from before a restart hides no change from after it",
  "eventIds are reversed": "the event IDs are those of the events, in their order",
  "eventIds are one": "a resend appends both: the new token's event and the emptied old one",
  "an event is signed in its sender's name":
    "a proven invite of another server's user has this server's signature, too",
  "an event has no hash": "an event has its hash, its ID, and this server's signature",
  "events stand side by side": second,
  "events have one depth": second,
} as const;

export type Fault = keyof typeof caughtBy;

export const faults = Object.keys(caughtBy).filter((name): name is Fault => name in caughtBy);

/** A fault for each check that is named for none above, which it must catch: a check that catches nothing is none. */
export const catches: Readonly<Partial<Record<string, Fault>>> = {
  "an append that the process dies in leaves all of its events or none": "a restart forgets the last event",
  "no change is lost: everybody who reads, appends, and tries again gets through": "append locks others out",
};
