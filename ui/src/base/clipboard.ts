// SPDX-License-Identifier: Apache-2.0
//
// Copying text. Browsers offer their clipboard only to pages from https and localhost; elsewhere (a node port, a plain
// http gateway) a selected text field does the same.

function copyBySelection(text: string): boolean {
  const field = document.createElement("textarea");
  field.value = text;
  field.style.position = "fixed";
  field.style.opacity = "0";
  document.body.append(field);
  field.select();
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- the only way on a page without a secure context
  const copied = document.execCommand("copy");
  field.remove();
  return copied;
}

// False when the browser refused.
export async function copyText(text: string): Promise<boolean> {
  if (!window.isSecureContext) return copyBySelection(text);
  return navigator.clipboard.writeText(text).then(
    () => true,
    () => false,
  );
}
