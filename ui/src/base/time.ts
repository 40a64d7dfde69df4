// SPDX-License-Identifier: Apache-2.0
//
// Points in time as text, in the reader's time zone. Times are microseconds since the epoch.

import { formatNumber } from "./quantity";

const two = (value: number) => String(value).padStart(2, "0");

function date(at: Date): string {
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

function clock(at: Date): string {
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

function zone(at: Date): string {
  const minutes = -at.getTimezoneOffset();
  const hours = `${two(Math.floor(Math.abs(minutes) / 60))}:${two(Math.abs(minutes) % 60)}`;
  return minutes === 0 ? "UTC" : `UTC${minutes < 0 ? "\u2212" : "+"}${hours}`;
}

// "2026-11-22 17:34:05.123456 UTC+01:00"
export function formatAbsolute(microseconds: number): string {
  const at = new Date(microseconds / 1000);
  if (Number.isNaN(at.getTime())) return `${formatNumber(microseconds)} µs since 1970`;
  const fraction = String(Math.floor(microseconds) % 1_000_000).padStart(6, "0");
  return `${date(at)} ${clock(at)}.${fraction} ${zone(at)}`;
}

// A tick of a time axis whose ticks are `step` microseconds apart: the date, the minute, or as much as tells them apart.
export function formatTick(microseconds: number, step: number): string {
  const at = new Date(microseconds / 1000);
  if (step >= 86_400e6) return date(at);
  if (step >= 60e6) return clock(at).slice(0, 5);
  return step >= 1e6 ? clock(at) : `${clock(at)}.${String(at.getMilliseconds()).padStart(3, "0")}`;
}

const kSteps: readonly [name: string, seconds: number][] = [
  ["d", 86_400],
  ["h", 3600],
  ["min", 60],
  ["s", 1],
];

// "just now", "38 s ago", "2 h ago", "in 5 s" (a sender's clock may be ahead).
export function formatRelative(microseconds: number, nowMicroseconds: number): string {
  const seconds = (nowMicroseconds - microseconds) / 1e6;
  const step = kSteps.find(([, size]) => Math.abs(seconds) >= size);
  if (!step) return "just now";
  const text = `${Math.floor(Math.abs(seconds) / step[1]).toLocaleString("en-US")}\u00a0${step[0]}`;
  return seconds < 0 ? `in ${text}` : `${text} ago`;
}

// The value of an <input type="datetime-local">, and back. Undefined when the text is no time.
export function toLocalInput(microseconds: number): string {
  const at = new Date(microseconds / 1000);
  return `${date(at)}T${clock(at)}`;
}

export function fromLocalInput(text: string): number | undefined {
  const milliseconds = new Date(text).getTime();
  return text === "" || Number.isNaN(milliseconds) ? undefined : milliseconds * 1000;
}
