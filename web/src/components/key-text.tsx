/** A long key or file name, which breaks behind its separators before it breaks within a word. */
export function KeyText({ text }: { text: string }) {
  return text.split(/(?<=[/._-])/).map((part, at) => [at ? <wbr key={at} /> : null, part]);
}
