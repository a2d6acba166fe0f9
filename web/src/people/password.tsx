/** A new password of one's own. The server ends all sessions; this browser signs in again. */
import { useState } from "preact/hooks";
import { ApiError, messageOf } from "../api/errors.ts";
import { Button, Section } from "../components/basics.tsx";
import { Field } from "../components/field.tsx";
import { api } from "../state/api.ts";
import { type Me, signIn } from "../state/session.ts";
import { cache } from "../state/use.ts";

export function Password({ user }: { user: Me }) {
  const [error, setError] = useState<unknown>();
  const [state, setState] = useState<"idle" | "busy" | "done">("idle");
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const data = new FormData(form);
    setState("busy");
    setError(undefined);
    try {
      await change(user, String(data.get("current")), String(data.get("new")));
      form.reset();
      setState("done");
    } catch (reason) {
      setError(reason);
      setState("idle");
    }
  };
  const atNew = error instanceof ApiError && error.field === "password";
  return (
    <Section title="Password">
      <form class="form narrow" onSubmit={submit}>
        <input type="text" name="username" value={user.username} autocomplete="username" hidden readOnly />
        <Field
          label="Present password"
          name="current"
          type="password"
          autocomplete="current-password"
          required
          error={error && !atNew ? messageOf(error) : undefined}
        />
        <Field
          label="New password"
          name="new"
          type="password"
          autocomplete="new-password"
          minLength={8}
          required
          error={atNew ? messageOf(error) : undefined}
        />
        <p class="note">A new password ends your sessions in other browsers, and revokes your API tokens.</p>
        <div>
          <Button type="submit" disabled={state === "busy"}>
            Change the password
          </Button>
        </div>
        <p role="status">{state === "done" ? "Your password is changed." : ""}</p>
      </form>
    </Section>
  );
}

async function change(user: Me, current: string, password: string): Promise<void> {
  await api.patch("/users/{user_id}", { ids: { user_id: user.id }, body: { password, current_password: current } });
  await signIn(user.username, password);
  cache.invalidate("/auth/tokens");
}
