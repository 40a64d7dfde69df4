// SPDX-License-Identifier: Apache-2.0

// The trace id in a text that someone pasted: 1 to 32 hexadecimal digits, a UUID's hyphens allowed, or a whole W3C
// traceparent. Undefined for any other text; short ids are left as they are, the server pads them.
export function traceIdIn(text: string): string | undefined {
  const trimmed = text.trim().toLowerCase();
  const traceparent = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/.exec(trimmed);
  const id = traceparent?.[1] ?? trimmed.replaceAll("-", "");
  return /^[0-9a-f]{1,32}$/.test(id) ? id : undefined;
}
