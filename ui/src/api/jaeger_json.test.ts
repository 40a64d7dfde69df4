// SPDX-License-Identifier: Apache-2.0

import { expect, it } from "vitest";
import { type JaegerTag, parseJaeger } from "./jaeger_json";

// Scenario: the largest int64, a small one, and a string that looks like a member with a large integer.
// Guarantees: no digit is lost and no text is changed.
it("keeps every digit of 64-bit integers", () => {
  const text = `{"data":[
    {"key":"a","type":"int64","value":9223372036854775807},
    {"key":"b","type":"int64","value": -9223372036854775808},
    {"key":"c","type":"int64","value":42},
    {"key":"d","type":"string","value":"{\\"value\\":1234567890123456789}"}]}`;
  const values = parseJaeger<JaegerTag[]>(text).data?.map((tag) => tag.value);
  expect(values).toEqual(["9223372036854775807", "-9223372036854775808", 42, '{"value":1234567890123456789}']);
});
