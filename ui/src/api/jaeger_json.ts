// SPDX-License-Identifier: Apache-2.0
//
// The JSON of Jaeger's HTTP API, first generation (/api/*), as far as the page reads it. Times and durations are
// microseconds. What a span's kind, status and scope were in OpenTelemetry, Jaeger carries as tags.

export interface JaegerTag {
  key: string;
  type: string; // string | bool | int64 | float64 | binary; unknown ones are shown as text
  value: string | number | boolean | null; // float64 that JSON can't carry comes as "NaN", "Infinity", "-Infinity"
}

export interface JaegerReference {
  refType: "CHILD_OF" | "FOLLOWS_FROM";
  traceID: string;
  spanID: string;
}

export interface JaegerLog {
  timestamp: number;
  fields: JaegerTag[];
}

export interface JaegerSpan {
  traceID: string;
  spanID: string;
  operationName: string;
  references?: JaegerReference[] | null;
  startTime: number;
  duration: number;
  tags?: JaegerTag[] | null;
  logs?: JaegerLog[] | null;
  processID: string;
  warnings?: string[] | null;
}

export interface JaegerProcess {
  serviceName: string;
  tags?: JaegerTag[] | null;
}

export interface JaegerTrace {
  traceID: string;
  spans: JaegerSpan[];
  processes: Partial<Record<string, JaegerProcess>>;
  warnings?: string[] | null;
}

export interface JaegerEnvelope<T> {
  data: T | null;
  errors?: { code: number; msg: string; traceID?: string }[] | null;
}

// Integers that a JavaScript number can't hold exactly stay text. Only members named "value" hold 64-bit integers, and
// inside a JSON string the quotes of such a member would be escaped, so the text can be searched without parsing it.
export function parseJaeger<T>(text: string): JaegerEnvelope<T> {
  const exact = text.replace(/"value":\s*(-?\d{16,})(?=\s*[,}])/g, '"value":"$1"');
  return JSON.parse(exact) as JaegerEnvelope<T>;
}
