/** The check that must catch each mistake that a real adapter could make, by its name; others may as well. */
const inviteFaults = {
  "putIfAbsent answers without storing":
    "putIfAbsent stores a record where none stands, and find finds it with the same mark",
  "putIfAbsent is never new":
    "putIfAbsent stores a record where none stands, and find finds it with the same mark",
  "putIfAbsent overwrites":
    "putIfAbsent leaves the record that stands, replaced or not, and answers with it and that it is not new",
  "putIfAbsent is new whatever it finds":
    "putIfAbsent leaves the record that stands, replaced or not, and answers with it and that it is not new",
  "putIfAbsent looks, and stores later":
    "of racing putIfAbsent one record is stored, everybody is answered with it, and it is new to one",
  "putIfAbsent is new to all that race":
    "of racing putIfAbsent one record is stored, everybody is answered with it, and it is new to one",
  "replace of an invite does not compare": "replace changes nothing under an old mark, and says Stale",
  "replace of an invite compares, and stores later":
    "no replacement is lost: everybody who reads, replaces, and tries again gets through",
  "replace puts an invite": "replace puts nothing where no record stands",
  "replace of an invite leaves the mark":
    "a mark never comes again, even where the record is what it was before",
  "replace of an invite answers before it stores":
    "what one has put or replaced, everybody finds as soon as it is answered",
  "keys have no case":
    "find finds nothing under a key that nobody put: keys that differ in case or in blanks are others",
  "find finds something":
    "find finds nothing under a key that nobody put: keys that differ in case or in blanks are others",
  "details are cut at a NUL":
    "an invite comes back as it was put, in any state, with an address or none, and any texts in it",
  "findByToken knows the newest token only":
    "findByToken finds an invite by each earlier token that may stand in the room",
  "findByToken forgets no token":
    "findByToken no longer finds an invite by a token that is none of its own any more",
  "findByToken finds the first": "findByToken finds all invites of the room that have the token",
  "findByToken looks in all rooms": "findByToken finds all invites of the room that have the token",
  "findByToken takes wildcards": "findByToken looks in one room, and for the whole token in its very case",
  "list forgets those asked":
    "list has the invites of a room, a sender, an identity server or an address, as they are now",
  "list takes beginnings":
    "list has the invites of a room, a sender, an identity server or an address, as they are now",
  "list has the oldest first": "list has the newest first, of one time by key, in pages that have each once",
  "list has no order among those of one time":
    "list has the newest first, of one time by key, in pages that have each once",
  "list pages by the time alone":
    "list has the newest first, of one time by key, in pages that have each once",
} as const;

const comesBack = "a redemption comes back as it was put, in any state, with any texts and numbers in it";
const isNew = "put adds the rows whose id is new, once, and answers with their ids";
const leaves = "put leaves a row that exists as it is: waiting, claimed or ended";
const large = "a put of 512 KiB shows all of its rows or none while it runs";
const racingPuts =
  "of racing puts each row is new to one, and nobody fails, in whatever order they bring them";
const isDue = "a claim is not empty while a row is due and free, and has none before its very millisecond";
const holds =
  "two claims never hold one row: until then nobody else has it, and then it is free, and as it was";
const between =
  "a claim has rows whose `at` lies in `due`, both ends included: also what a clock that lied put off";
const inOrder = "a claim has at most `limit` rows: of the first lane the least by place, then of the next";
const except = "a claim leaves out rows for the servers in `except` of their lane, by their exact names";
const racingClaims = "of racing claims no two hold one row, and none is empty while a row is due and free";
const replaces = "replace stores the record under the mark that was given last, in its lane and for its time";
const known = "known has what is redeemed or announced of a token and its user, and of no other";
const newest = "known has the newest 16";
const pages = "list has the rows of a lane by their ids, from after one of them on, up to the limit";
const line = "line has what waits in a lane for one user by server, and the least turn of all users";
const sizes =
  "sizes has the rows, bytes and least `at` of each lane that has rows, and what leaves no earlier";
const next = "nextDueAt is the least `at` of the rows that wait: of one that is claimed, when the claim ends";
const ended =
  "remove removes rows of a lane that ended earlier than that, at most `limit`, and says how many";
const more = "remove removes what is more than `keep`, of the lanes together, first what leaves first";
const firm = "remove never removes a row with `leaving` 0, claimed or not; it counts";

const ofUser = "sizes and remove of one user count the rows of that user alone";

const redemptionFaults = {
  "put refuses a NUL": comesBack,
  "signed loses __proto__": comesBack,
  "signed is JSON of the driver's own": comesBack,
  "put says that every row is new": isNew,
  "put takes no empty list": isNew,
  "put overwrites what waits": leaves,
  "put revives what has ended": leaves,
  "put adds one by one": large,
  "put loses the last row of many": large,
  "put takes 500 rows": large,
  "put keeps the caller's own object":
    "a row that was put stays so, whatever the caller does to its own copy",
  "put fails where another adds the row meanwhile": racingPuts,
  "put is new to all that race": racingPuts,
  "claim looks at the place only": isDue,
  "a claim ends after `until`": isDue,
  "a claim never ends": holds,
  "claim holds nothing": holds,
  "claim keeps the mark": holds,
  "claim changes the record": holds,
  "claim ignores due.from": between,
  "claim leaves the place of what a clock put off": between,
  "claim ignores the limit": inOrder,
  "claim takes what was put first": inOrder,
  "claim takes the tried ones too": inOrder,
  "claim leaves a server out of all lanes": except,
  "claim compares ends of names": except,
  "claim looks, and takes later": racingClaims,
  "claim is empty where others claim": racingClaims,
  "replace leaves the mark of a redemption": replaces,
  "replace leaves the row where it is": replaces,
  "replace leaves the claim": replaces,
  "replace of a redemption does not compare": "a replace with an old mark changes nothing, and says Stale",
  "replace puts a redemption": "a replace puts nothing where no row stands",
  "replace of a redemption compares, and stores later":
    "of a late replace and a claim of the same row one gets it",
  "marks count for each row": "a mark never comes again, even where a row was removed and put anew",
  "known knows what is done": known,
  "known has no case": known,
  "known knows all users": known,
  "known has the oldest": newest,
  "known has them all": newest,
  "list of redemptions has the order of a language": pages,
  "list begins with `after`": pages,
  "line leaves out what is claimed": line,
  "line counts all users": line,
  "line has no case": line,
  "firstTurn is the user's own": line,
  "sizes has lanes without rows": sizes,
  "sizes leaves the row itself out of `ahead`": sizes,
  "sizes ignores claims": sizes,
  "sizes of a user are of all": ofUser,
  "remove for a user is for all": ofUser,
  "nextDueAt ignores claims": next,
  "nextDueAt counts what has ended": next,
  "remove takes rows of that time": ended,
  "remove ignores the limit": ended,
  "remove takes the least `leaving` first": "remove of what has ended removes the oldest first",
  "remove counts each lane alone": more,
  "remove ignores bytes": more,
  "remove takes rows that stay": firm,
  "remove does not count rows that stay": firm,
} as const;

const takes = "take takes what the bucket holds and no more, and one comes back in each interval";
const farAhead =
  "a bucket that a clock far ahead has filled is at most empty: it fills again in its own time";
const forgets = "forget forgets buckets that were full before that, at most `limit`, and says how many";

const otherFaults = {
  "take takes what is not there": takes,
  "a bucket never fills again": takes,
  "take stores what it does not take": "take never takes more than fits",
  "take gives back without bound":
    "take gives back a negative cost, up to a full bucket, and a cost of 0 only looks",
  "take believes what is stored": "a bucket follows an interval and a burst that have changed",
  "take keeps what a clock far ahead stored": farAhead,
  "buckets have no case": "each key has its own bucket, whatever characters are in it",
  "forget forgets what is full at that time": forgets,
  "forget ignores the limit": forgets,
  "take looks, and stores later": "of racing takes as many succeed as the bucket holds",
  "a restart forgets claims": "a row whose holder died is free when its claim ends, and not before",
  "a restart forgets the last row": "what a put of redemptions has answered for outlives the process",
  "a restart forgets the last record":
    "what putIfAbsent and replace have answered outlives the process, marks and all",
  "a restart counts from one again":
    "a mark from before a restart replaces its row, until somebody else has it",
  "a restart forgets buckets": "what was taken from a bucket is missing after a restart",
} as const;

export const caughtBy = { ...inviteFaults, ...redemptionFaults, ...otherFaults };

/** What the toy can be told to do wrong. */
export type Fault = keyof typeof caughtBy;

export const faults = Object.keys(caughtBy) as readonly Fault[];

/** A fault for each check that is named for none above, which it must catch: a check that catches nothing is none. */
export const catches: Readonly<Partial<Record<string, Fault>>> = {
  "an invite that was put stays so, whatever the caller does to its own copy":
    "putIfAbsent answers without storing",
  "a signal that nobody aborts changes nothing": "putIfAbsent answers without storing",
  "replace stores the record under the mark that was given last, by whichever call, and gives a new one":
    "list forgets those asked",
  "findByToken finds an invite by its token, in any state that has one":
    "putIfAbsent answers without storing",
  "of a put all rows or none are stored": "put adds one by one",
  "of racing replace under one mark exactly one succeeds, and its record is stored":
    "replace of an invite compares, and stores later",
  "a put that the process dies in leaves all of its rows or none": "put adds one by one",
};
