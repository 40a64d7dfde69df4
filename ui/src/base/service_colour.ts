// SPDX-License-Identifier: Apache-2.0
//
// A colour for each service. The colours themselves, for light and dark, are the variables --service-0 … in theme.css;
// red is not among them, since it means an error.

export const kServiceColours = 12;

function hash(name: string): number {
  let value = 2166136261; // FNV-1a
  for (let i = 0; i < name.length; i++) value = Math.imul(value ^ name.charCodeAt(i), 16777619);
  return value >>> 0;
}

// Index of the colour of each service. A name keeps its colour on every page unless another service of the same set,
// earlier in the alphabet, has taken it; only beyond kServiceColours services are colours shared.
export function assignColours(services: Iterable<string>): Map<string, number> {
  const colours = new Map<string, number>();
  const taken = new Set<number>();
  for (const service of [...new Set(services)].sort()) {
    let colour = hash(service) % kServiceColours;
    while (taken.size < kServiceColours && taken.has(colour)) colour = (colour + 1) % kServiceColours;
    taken.add(colour);
    colours.set(service, colour);
  }
  return colours;
}

export function colourVariable(colour: number): string {
  return `var(--service-${colour})`;
}
