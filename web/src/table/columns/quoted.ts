/** A key as a filter and an order take it. */
export function quoted(key: string): string {
  return /^[A-Za-z_][\w/-]*$/.test(key) ? key : quotedText(key);
}

/** A text as a filter takes it. */
export function quotedText(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}
