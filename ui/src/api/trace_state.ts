// SPDX-License-Identifier: Apache-2.0
//
// What the trace page shows beside the trace itself, as it stands in the address.

export interface TraceState {
  span: string; // id of the span whose details are open, "" for none
  find: string; // text that is looked for
  from: number | undefined; // shown part of the trace, microseconds after its start; undefined: all of it
  to: number | undefined;
}

export const kWholeTrace: TraceState = { span: "", find: "", from: undefined, to: undefined };

type Address = Partial<Record<keyof TraceState | "uiFind", string>>; // uiFind: Jaeger's name for `find`

function readMicroseconds(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,17}(\.\d+)?$/.test(text) ? Number(text) : undefined;
}

export function readTraceState(address: Address): TraceState {
  const from = readMicroseconds(address.from);
  const to = readMicroseconds(address.to);
  const isWindow = from !== undefined && to !== undefined && from < to;
  return {
    span: address.span ?? "",
    find: address.find ?? address.uiFind ?? "",
    from: isWindow ? from : undefined,
    to: isWindow ? to : undefined,
  };
}

export function writeTraceState(state: TraceState): Record<string, string> {
  const entries = Object.entries(state) as [keyof TraceState, string | number | undefined][];
  const told = entries.filter(([, value]) => value !== undefined && value !== "");
  return Object.fromEntries(told.map(([key, value]) => [key, String(value)]));
}
