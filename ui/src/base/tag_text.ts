// SPDX-License-Identifier: Apache-2.0
//
// Attribute filters as people type them: `http.status_code=500 error=true name="two words"` (logfmt, as in Jaeger's form).
// A JSON object, which is what links made for Jaeger carry, is read too.

export type Tags = Readonly<Record<string, string>>;

export type ParsedTags = { tags: Tags; problem?: undefined } | { problem: string; tags?: undefined };

const kPair = /^\s*([^\s="]+)=("(?:[^"\\]|\\.)*"|[^\s"]*)(?=\s|$)/;

function unquote(text: string): string {
  return text.startsWith('"') ? text.slice(1, -1).replace(/\\(.)/g, "$1") : text;
}

function parsePairs(text: string): ParsedTags {
  const tags: Record<string, string> = {};
  let rest = text.trimEnd();
  while (rest.trim() !== "") {
    const match = kPair.exec(rest);
    if (!match) return { problem: `Not key=value: ${rest.trim().slice(0, 40)}` };
    const [pair, key = "", value = ""] = match;
    if (Object.hasOwn(tags, key)) return { problem: `${key} is given twice` };
    tags[key] = unquote(value);
    rest = rest.slice(pair.length);
  }
  return { tags };
}

function parseJson(text: string): ParsedTags {
  try {
    const object = JSON.parse(text) as Record<string, unknown>;
    return { tags: Object.fromEntries(Object.entries(object).map(([key, value]) => [key, String(value)])) };
  } catch {
    return { problem: "Not a JSON object of attributes" };
  }
}

export function parseTags(text: string): ParsedTags {
  return text.trimStart().startsWith("{") ? parseJson(text) : parsePairs(text);
}

// One pair in the grammar that parseTags reads.
export function formatTag(key: string, value: string): string {
  const quoted = value === "" || /[\s"\\]/.test(value) ? `"${value.replace(/["\\]/g, "\\$&")}"` : value;
  return `${key}=${quoted}`;
}
