import { useEffect, useState } from "preact/hooks";
import { Button } from "../components/basics.tsx";
import { ErrorBox } from "../components/error-box.tsx";
import { lazy } from "../components/lazy.tsx";
import { offline, retryNow } from "../state/connection.ts";
import { loadPreferences } from "../state/preferences.ts";
import { loadMe } from "../state/session.ts";
import { SECRET } from "../state/share.ts";
import { Header } from "./header.tsx";
import { PresentPage } from "./lazy.tsx";
import { SignInDialog } from "./sign-in.tsx";

const Shared = lazy(() => import("./shared.tsx"));

export function App() {
  return SECRET ? <Shared /> : <Members />;
}

/** The page does not wait for the name of its user: without a session all requests wait for the same sign-in. */
function Members() {
  const [error, setError] = useState<unknown>();
  const start = () => {
    setError(undefined);
    loadMe().then(() => loadPreferences().catch(() => {}), setError);
  };
  useEffect(start, []);
  return (
    <>
      <button type="button" class="skip" onClick={() => document.getElementById("main")?.focus()}>
        Skip to the content
      </button>
      <Header />
      {offline.value ? <OfflineBanner /> : null}
      <main id="main" class="main" tabIndex={-1}>
        {error ? <ErrorBox error={error} retry={start} /> : <PresentPage />}
      </main>
      <SignInDialog />
    </>
  );
}

function OfflineBanner() {
  return (
    <div class="banner" role="status">
      <span>No connection to the server. What you see may be old.</span>
      <Button onClick={retryNow}>Try now</Button>
    </div>
  );
}
