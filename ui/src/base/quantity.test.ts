// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from "vitest";
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatNumber,
  formatOffset,
  formatRatio,
  formatTokens,
} from "./quantity";

const plain = (text: string) => text.replaceAll("\u00a0", " ");

describe("formatDuration", () => {
  it.each([
    [0, "0 µs"],
    [0.25, "250 ns"],
    [86.748, "86.7 µs"],
    [999.4, "999 µs"],
    [38_000, "38 ms"],
    [809_436.08, "809 ms"],
    [1_240_000, "1.24 s"],
    [378_441_289, "378 s"],
    [1_200_000_000, "20 min"],
    [10_000_000_000, "2.78 h"],
    [1.8e15, "20,833 d"],
    [-5_000, "\u22125 ms"],
  ])("writes %d µs as %s", (microseconds, text) => {
    expect(plain(formatDuration(microseconds))).toBe(text);
  });

  // Scenario: a value just below a unit's limit that rounds up to it.
  // Guarantees: the next unit is used, never "1000 µs".
  it("moves to the next unit when rounding reaches it", () => {
    expect(plain(formatDuration(999.96))).toBe("1 ms");
    expect(plain(formatDuration(999_999))).toBe("1 s");
  });
});

describe("formatNumber", () => {
  it("keeps every digit of whole numbers of four digits and more", () => {
    expect(formatNumber(50_000)).toBe("50,000");
    expect(formatNumber(-12_345)).toBe("\u221212,345");
  });

  it("names what is not a number", () => {
    expect(formatNumber(NaN)).toBe("NaN");
    expect(formatNumber(-Infinity)).toBe("\u2212∞");
  });

  it("never writes minus zero", () => {
    expect(formatNumber(-0)).toBe("0");
  });
});

describe("units", () => {
  it("always names one", () => {
    expect(plain(formatBytes(1536))).toBe("1.5 KiB");
    expect(plain(formatTokens(412))).toBe("412 tok");
    expect(plain(formatRatio(0.625))).toBe("62.5 %");
    expect(plain(formatCount(1, "span"))).toBe("1 span");
    expect(plain(formatCount(26, "span"))).toBe("26 spans");
    expect(plain(formatOffset(1500))).toBe("+1.5 ms");
  });
});
