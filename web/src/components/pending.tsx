import { useHeading } from "../state/heading.ts";
import { Loading } from "./basics.tsx";
import { ErrorBox } from "./error-box.tsx";

/** In place of a page whose object is not known: it is on its way, or this is why not. */
export function Pending({ error, title }: { error: unknown; title?: string }) {
  useHeading(title);
  return error ? <ErrorBox error={error} /> : <Loading />;
}
