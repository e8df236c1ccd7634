import type { Fault } from "./contract-toy.js";

const owedByAnother = "a token of which one proof is done or dead is owed by another";
const redeemed = "Redeemed is the end of every proof of that token and user, and of nothing else";
const held = "Redeemed is the end also of a row under another's lease, whose later result changes nothing";
const one = "Done, Dead and Again are of one proof: a forged one does not end the good one";
const later = "Again leaves a postponement that came meanwhile, and goes beyond it";

/** The check that must catch each fault, by its name; others may as well. */
export const caughtBy: Readonly<Record<Fault, string>> = {
  "put answers without storing":
    "putIfAbsent stores a record where none stands, and find finds it with the same mark",
  "put overwrites": "putIfAbsent leaves the record that stands, and answers with it and its mark",
  "put looks, and stores later":
    "of racing putIfAbsent one record is stored, and everybody is answered with it",
  "put is never new": "putIfAbsent says isNew to the call that stores the record",
  "put is new whatever it finds":
    "putIfAbsent says that it is not new to every call that finds a record, replaced or not",
  "put is new to all that race":
    "of racing putIfAbsent isNew is true for exactly one, whose record is stored",
  "replace does not compare": "replace changes nothing under an old mark, and says Stale",
  "replace compares, and stores later":
    "no replacement is lost: everybody who reads, replaces, and tries again gets through",
  "replace puts": "replace puts nothing where no record stands",
  "replace leaves the mark": "a mark never comes again, even where the record is what it was before",
  "replace answers before it stores":
    "what one has put or replaced, everybody finds as soon as it is answered",
  "keys have no case": "keys that differ in case or in blanks are different keys",
  "details are cut at a NUL": "what the inviter said comes back as it was put, whatever characters are in it",
  "find finds something": "find finds nothing under a key that nobody put",
  "findByToken knows the newest token only":
    "findByToken finds an invite by each earlier token that may stand in the room",
  "findByToken forgets no token":
    "findByToken no longer finds an invite by a token that is none of its own any more",
  "findByToken finds the first": "findByToken finds all invites that have the token",
  "findByToken looks in all rooms": "findByToken tells one room from another that has the same token",
  "findByToken takes wildcards": "findByToken looks in one room, and for the whole token in its very case",
  "list forgets those asked": "list has every record of the room, as it is now, and none of another room",
  "list lists all rooms": "list has nothing for a room without invites",
  "owe takes no empty list": "owe takes no rows as well",
  "owe fails where another adds the row meanwhile":
    "of racing owe each row is added once, and nobody fails, in whatever order they bring them",
  "owe adds one by one": "owe shows all rows or none of them while it runs",
  "owe loses the last row": "owe adds 5,000 rows in one call, as many as one onbind brings",
  "owe takes 500 rows": "owe adds 5,000 rows in one call, as many as one onbind brings",
  "owe revives what is settled": "a row that is done is never owed again",
  "owe overwrites what waits": "owe leaves a row that exists as it is, and adds those beside it",
  "owe refuses a NUL": "a token may have any 255 characters: whoever delivers it chooses them",
  "a row is one by room and token": "a row is one by room, token and user: any other is another row",
  "signed loses __proto__":
    "signed comes back with every member that was signed: numbers, odd keys, odd texts",
  "lease holds nothing": "lease never hands out a row that is under a living lease",
  "lease looks, and takes later":
    "of racing lease no two are handed one row, and each row is handed to somebody",
  "a lease never ends": "lease hands a row out again from until on, if its holder fell silent",
  "lease ends after until": "lease hands a row out again from until on, if its holder fell silent",
  "lease ignores dueAt": "lease hands out rows that are due, from their very millisecond on, and no others",
  "lease ignores the limit": "lease hands out no more rows than the limit, and every row to somebody",
  "settle ignores the lease": "settle changes nothing with a lease that somebody else has taken over",
  "settle loses Dead": "a row settled as Dead is never handed out again",
  "settle keeps the lease":
    "a row settled as Again waits until dueAt, with one attempt more and all else as it was",
  "settle counts no attempt":
    "a row settled as Again waits until dueAt, with one attempt more and all else as it was",
  "settle refuses an expired lease":
    "settle counts where the lease ran out and nobody has taken the row over",
  "a row is one by token and user": "owe keeps each proof of one token and user apart",
  "owe owes what is redeemed": "a token that its user has redeemed is not owed again, whatever the proof",
  "Done blocks owe": owedByAnother,
  "Dead blocks owe": owedByAnother,
  "Redeemed ends one proof": redeemed,
  "Redeemed ends all rows of the user": redeemed,
  "Redeemed ends what nobody holds": held,
  "Redeemed leaves the leases of what it ends": held,
  "Redeemed ends what others hold with a lost lease":
    "Redeemed with a lease that somebody else has taken over ends no row",
  "Done ends all proofs": one,
  "Dead ends all proofs": one,
  "Again ends all proofs": one,
  "Again undoes a postponement": later,
  "Again leaves the row due when it was postponed to": later,
  "settle looks, and stores later": "of the holder's Again and a postpone, the later time counts",
  "settle fails where another settles the token meanwhile":
    "racing settlements and postponements of one token's rows all go through, and Redeemed ends all",
  "postpone ignores the sender": "postpone does nothing for another sender than the row's",
  "postpone ends the lease": "postpone leaves the lease of the holder, whose result counts",
  "postpone makes rows due earlier": "postpone makes no row due earlier",
  "postpone brings rows back": "postpone brings no row back that is redeemed, done or dead",
  "countWaiting counts what is done": "countWaiting counts no row that is done or dead",
  "countWaiting leaves out what is leased":
    "countWaiting counts rows that are leased, not yet due, or tried again",
  "countWaiting compares ends of names": "countWaiting takes no user or server for another",
  "nextDueAt ignores leases": "nextDueAt says when the lease ends of a row that somebody holds",
  "nextDueAt counts what is settled": "nextDueAt says nothing where nothing waits",
  "a restart forgets leases": "a row whose holder died comes back at until, and not before",
  "a restart forgets the last write": "what owe has answered outlives the process, attempts and all",
  "a restart counts from one again": "a mark from before a restart is not that of a later record",
};

/** A fault for each check that is named for none above, which it must catch: a check that catches nothing is none. */
export const catches: Readonly<Partial<Record<string, Fault>>> = {
  "a lease from before a restart settles its row, until somebody else has it": "a restart forgets leases",
  "a record in any state of its life comes back as it was put": "put answers without storing",
  "a row comes back with every member as it was owed": "nextDueAt counts what is settled",
  "a row settled as Done is never handed out again": "nextDueAt counts what is settled",
  "a row settled as Redeemed is never handed out again": "nextDueAt counts what is settled",
  "a row that is dead is never owed again": "owe revives what is settled",
  "a row that is done stays so, however many deliver it meanwhile": "owe revives what is settled",
  "a row that is leased, or tried again later, is left so by a second delivery": "owe overwrites what waits",
  "a row whose lease ends before it is due again waits until it is due": "lease ignores dueAt",
  "a signal that nobody aborts changes nothing": "replace answers before it stores",
  "an owe that the process dies in leaves all of its rows or none": "owe adds one by one",
  "countWaiting counts the rows of one user, or of all senders of one server":
    "a row is one by room and token",
  "findByToken finds an invite by its token, in any state that has one": "put answers without storing",
  "nextDueAt says when the first of the rows that wait is due": "lease ignores dueAt",
  "of a holder and whoever took the row over, the second alone settles it": "settle ignores the lease",
  "of racing lease for one row, free or under a lease that ran out, one gets it":
    "lease looks, and takes later",
  "of racing replace under one mark exactly one succeeds, and its record is stored":
    "replace compares, and stores later",
  "of the holder's Done and a postpone, Done counts": "postpone brings rows back",
  "owe adds a row once that it is given twice at a time": "lease ends after until",
  "owe adds all rows or none: one that it cannot store leaves none of the others": "owe adds one by one",
  "postpone makes a row that waits due at that time and not before, and changes nothing else":
    "lease ignores dueAt",
  "postpone touches no other row, and makes none": "lease holds nothing",
  "putIfAbsent leaves a record alone that was replaced since": "put overwrites",
  "replace leaves every other record alone": "put answers without storing",
  "replace stores the record under the mark that was given last, and gives a new one":
    "replace leaves the mark",
  "replace takes the mark of find, of findByToken, and of a putIfAbsent that found a record":
    "replace answers before it stores",
  "rows that were done or dead are so after a restart, and not owed again":
    "a restart forgets the last write",
  "settle brings no row back that is redeemed, done or dead": "settle ignores the lease",
  "settle changes nothing with a lease that was settled already":
    "Redeemed ends what others hold with a lost lease",
  "settle of a row that was never owed changes nothing, and makes none": "a lease never ends",
  "settle settles its own row and no other": "a lease never ends",
  "settle takes whatever text stood in the way: a stranger's server wrote the errcode": "settle loses Dead",
  "the address of a host that stores it comes back as it was put, and is not made up":
    "put answers without storing",
  "what putIfAbsent and replace have answered outlives the process, marks and all":
    "findByToken knows the newest token only",
  "what was owed stays, whatever the caller does to its own copy": "lease ends after until",
  "what was put stays, whatever the caller does to its own copy": "put answers without storing",
  "workers that race, fail and die between them settle each row once": "lease looks, and takes later",
};
