// SPDX-License-Identifier: Apache-2.0

// The present value of a colour variable of theme.css, for drawing on a canvas.
export function cssColour(variable: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(variable).trim();
}
