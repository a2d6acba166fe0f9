import { useState } from "preact/hooks";
import { ApiError, messageOf } from "../api/errors.ts";
import { Button } from "../components/basics.tsx";
import { Dialog } from "../components/dialog.tsx";
import { Field } from "../components/field.tsx";
import { me, PASSWORD_FOR_ALL, PROVIDER, providerUrl, signIn } from "../state/session.ts";
import { asksForSignIn } from "../state/sign-in.ts";

/** Asks for the password, also in the middle of work: the page behind it stays as it is. */
export function SignInDialog() {
  const again = me.value !== undefined;
  return (
    <Dialog title={again ? "Your session has ended" : "Sign in to DearDiary"} open={asksForSignIn.value}>
      {PROVIDER ? <ProviderSignIn name={PROVIDER} /> : null}
      {PASSWORD_FOR_ALL ? (
        <SignInForm again={again} />
      ) : (
        <details>
          <summary>Admins sign in with a password here</summary>
          <SignInForm again={again} />
        </details>
      )}
    </Dialog>
  );
}

/** A link, and no form: the answer is the page of another server. */
function ProviderSignIn({ name }: { name: string }) {
  return (
    <p>
      <a class="button primary" href={providerUrl()}>
        Sign in with {name}
      </a>
    </p>
  );
}

function SignInForm({ again }: { again: boolean }) {
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    setBusy(true);
    try {
      await signIn(String(data.get("username")), String(data.get("password")));
    } catch (reason) {
      setError(reason);
      setBusy(false);
    }
  };
  return (
    <form class="form" onSubmit={submit}>
      {again ? <p>Sign in again to go on. Nothing on this page is lost.</p> : null}
      <Field
        label="Username"
        name="username"
        autocomplete="username"
        defaultValue={me.value?.username ?? ""}
        autofocus={!again && !PROVIDER}
        required
      />
      <Field
        label="Password"
        name="password"
        type="password"
        autocomplete="current-password"
        autofocus={again && !PROVIDER}
        required
        error={error ? reasonOf(error) : undefined}
      />
      <Button type="submit" {...(PROVIDER ? {} : { kind: "primary" })} disabled={busy}>
        {busy ? "Signing in…" : PROVIDER ? "Sign in with a password" : "Sign in"}
      </Button>
    </form>
  );
}

function reasonOf(error: unknown): string {
  if (error instanceof ApiError && error.code === "INVALID_CREDENTIALS") return "Unknown username or wrong password";
  return messageOf(error);
}
