/** Why the iteration failed, with its traceback. */
import { CopyButton } from "../../components/copy.tsx";
import { headline } from "./failure.ts";
import type { PartProps } from "./part.ts";

export function Failure({ iteration }: PartProps) {
  const message = iteration.error_message;
  if (!message) return null;
  const line = headline(message);
  return (
    <section class="failure" aria-label="Error">
      <p>
        <strong>{line}</strong>
        <CopyButton text={message} label="Copy error" />
      </p>
      <Traceback message={message} open />
    </section>
  );
}

/** The whole message, if it is more than its headline. */
export function Traceback({ message, open = false }: { message: string; open?: boolean }) {
  if (message.trim() === headline(message)) return null;
  return (
    <details open={open}>
      <summary>Traceback</summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, also by keyboard */}
      <pre tabIndex={0}>{message}</pre>
    </details>
  );
}
