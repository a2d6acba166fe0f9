/** The accounts at the OpenID Connect provider that sign in the user. */
import { useState } from "preact/hooks";
import type { components } from "../api/operations.ts";
import { Button } from "../components/basics.tsx";
import { Confirm } from "../components/confirm.tsx";
import { ErrorBox } from "../components/error-box.tsx";
import { ACTIONS, TableSection } from "../components/listed.tsx";
import { Time } from "../components/time.tsx";
import { api } from "../state/api.ts";
import { cache, useList } from "../state/use.ts";

type Subject = components["schemas"]["Subject"];

export function Subjects({ userId, provider }: { userId: string; provider: string }) {
  const list = useList("/users/{user_id}/subjects", { ids: { user_id: userId } });
  const [error, setError] = useState<unknown>();
  const add = async () => {
    try {
      const { url } = await api.post("/auth/oidc");
      if (url) window.location.assign(url);
    } catch (reason) {
      setError(reason);
    }
  };
  return (
    <>
      <TableSection
        title={`Sign-in with ${provider}`}
        list={list}
        class="people stacked"
        head={["Account", "Provider", "Since", ACTIONS]}
        actions={<Button onClick={add}>Add your account</Button>}
        empty={<p class="note">Add your account there, and it signs you in as this user.</p>}
        row={(each) => <SubjectRow key={each.id} subject={each} />}
      />
      {error ? <ErrorBox error={error} /> : null}
    </>
  );
}

function SubjectRow({ subject }: { subject: Subject }) {
  const [removes, setRemoves] = useState(false);
  const remove = async () => {
    const ids = { user_id: subject.user_id, subject_id: subject.id };
    await api.delete("/users/{user_id}/subjects/{subject_id}", { ids });
    cache.invalidate(`/users/${subject.user_id}/subjects`);
  };
  return (
    <tr>
      <th scope="row">
        <bdi>{subject.subject}</bdi>
      </th>
      <td>
        <bdi>{subject.issuer}</bdi>
      </td>
      <td>
        <Time at={subject.created_date} />
      </td>
      <td class="number">
        <Button kind="plain" aria-label={`Remove ${subject.subject}`} onClick={() => setRemoves(true)}>
          Remove
        </Button>
        {removes ? (
          <Confirm title="Remove an account" action="Remove" danger act={remove} onClose={() => setRemoves(false)}>
            <p>It then signs you in no more. Without a password you cannot sign in either.</p>
          </Confirm>
        ) : null}
      </td>
    </tr>
  );
}
