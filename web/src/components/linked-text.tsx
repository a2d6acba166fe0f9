import { linksIn } from "./linked.ts";

/** A text of a user, with its addresses as links. The site of another host learns nothing of this page. */
export function LinkedText({ text }: { text: string }) {
  return linksIn(text).map((part, at) =>
    part.href ? (
      <a key={at} href={part.href} target="_blank" rel="noopener noreferrer">
        {part.text}
      </a>
    ) : (
      part.text
    ),
  );
}
