// SPDX-License-Identifier: Apache-2.0
//
// What became of spans, in words, and whether that is good.

import type { SpanCount } from "./insight";

interface SpanEvent {
  does: string;
  isTrouble?: boolean;
  isAlwaysShown?: boolean; // also while it is 0
}

const kEvents: Record<string, SpanEvent> = {
  accepted: { does: "accepted", isAlwaysShown: true },
  refused: { does: "refused to the sender", isTrouble: true },
  failed: { does: "failed in the receiver", isTrouble: true },
  filtered: { does: "dropped as told" },
  waiting: { does: "waiting now" },
  delivered: { does: "delivered", isAlwaysShown: true },
  send_failed: { does: "could not be sent", isTrouble: true },
  queue_full: { does: "found the queue full", isTrouble: true },
  rejected: { does: "rejected by the destination", isTrouble: true },
  lost: { does: "lost", isTrouble: true },
};

export function eventText({ event, cause }: SpanCount): string {
  const text = kEvents[event]?.does ?? event;
  return cause === undefined ? text : `${text}: ${cause}`;
}

export function isTrouble({ event, spans }: SpanCount): boolean {
  return spans > 0 && kEvents[event]?.isTrouble === true;
}

// Those worth a row: what happened, and what should.
export function shownCounts(counts: readonly SpanCount[]): SpanCount[] {
  return counts.filter((count) => count.spans > 0 || kEvents[count.event]?.isAlwaysShown);
}
