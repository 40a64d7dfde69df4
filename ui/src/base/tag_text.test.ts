// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from "vitest";
import { formatTag, parseTags } from "./tag_text";

describe("parseTags", () => {
  it("reads pairs, with quotes where a value has blanks", () => {
    expect(parseTags(' http.status_code=500  error=true name="two \\"quoted\\" words" ').tags).toEqual({
      "http.status_code": "500",
      error: "true",
      name: 'two "quoted" words',
    });
  });

  it("keeps an equals sign and a colon in a value", () => {
    expect(parseTags("url=http://pod:8000/v1?a=b guid:x-request-id=7").tags).toEqual({
      url: "http://pod:8000/v1?a=b",
      "guid:x-request-id": "7",
    });
  });

  it("reads the JSON object of a link made for Jaeger", () => {
    expect(parseTags('{"error":"true","http.status_code":500}').tags).toEqual({
      error: "true",
      "http.status_code": "500",
    });
  });

  it.each(["error", "=x", "a=1 b", 'a="open', "a=1 a=2", '{"a":'])("says what is wrong with '%s'", (text) => {
    expect(parseTags(text).problem).toBeTruthy();
  });

  it("finds no tags in blanks", () => {
    expect(parseTags("  ").tags).toEqual({});
  });
});

// Scenario: values with quotes, backslashes and blanks, and an empty one.
// Guarantees: parseTags(formatTag(key, value)) is key and value again.
it.each(["plain", "two words", 'a "quote"', "back\\slash", "", "a=b"])(
  "reads back the pair it writes for '%s'",
  (value) => {
    expect(parseTags(formatTag("key", value)).tags).toEqual({ key: value });
  },
);
