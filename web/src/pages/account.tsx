/** What a user has alone: API tokens and a password. */
import { Empty } from "../components/basics.tsx";
import { Password } from "../people/password.tsx";
import { Subjects } from "../people/subjects.tsx";
import { Tokens } from "../people/tokens.tsx";
import { useHeading } from "../state/heading.ts";
import { me, NEEDS_SIGN_IN, PASSWORD_FOR_ALL, PROVIDER } from "../state/session.ts";

export default function AccountPage() {
  useHeading("Account");
  const user = me.value;
  if (!user) return null;
  return (
    <>
      <h1>Account of {user.username}</h1>
      {NEEDS_SIGN_IN ? (
        <>
          <Tokens />
          {PROVIDER ? <Subjects userId={user.id} provider={PROVIDER} /> : null}
          {PASSWORD_FOR_ALL || user.is_admin ? <Password user={user} /> : null}
        </>
      ) : (
        <Empty title="This server needs no sign-in">
          <p>So it has no passwords and no tokens.</p>
        </Empty>
      )}
    </>
  );
}
