import { ApiError, messageOf } from "../api/errors.ts";
import { Button } from "./basics.tsx";

/** What went wrong, in the server's words, and a way on. */
export function ErrorBox({ error, retry }: { error: unknown; retry?: (() => void) | undefined }) {
  const title = error instanceof ApiError && error.isNotFound ? "Not found" : "This did not work";
  return (
    <div class="error-box" role="alert">
      <div>
        <strong>{title}.</strong> {messageOf(error)}
      </div>
      {retry ? <Button onClick={retry}>Try again</Button> : null}
    </div>
  );
}
