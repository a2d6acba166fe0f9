/** The dashboard as the reader of a share sees it: the shared object, and nothing around it. */
import { useEffect } from "preact/hooks";
import { ApiError } from "../api/errors.ts";
import { Empty, Loading } from "../components/basics.tsx";
import { Breadcrumb } from "../components/breadcrumb.tsx";
import { ErrorBox } from "../components/error-box.tsx";
import { Day } from "../components/time.tsx";
import { api } from "../state/api.ts";
import { useHeading } from "../state/heading.ts";
import { hashOf } from "../state/location.ts";
import { location } from "../state/route.ts";
import { ended, homeOf, type Opened, opened, openShare } from "../state/share.ts";
import { PresentPage } from "./lazy.tsx";

export default function Shared() {
  const share = opened.value;
  const start = () => {
    ended.value = undefined;
    openShare(api).catch(() => {});
  };
  useEffect(start, []);
  return (
    <>
      <header class="header shared-header">
        <span class="brand">DearDiary</span>
        <Breadcrumb link={(to, label) => <a href={hashOf(to)}>{label}</a>} />
        {share ? (
          <p class="note">
            Shared, read-only, until <Day at={share.expires_at} />
          </p>
        ) : null}
      </header>
      <main id="main" class="main" tabIndex={-1}>
        {ended.value ? <Ended error={ended.value} retry={start} /> : share ? <Present share={share} /> : <Loading />}
      </main>
    </>
  );
}

function Present({ share }: { share: Opened }) {
  const isInside = location.value.path !== "/";
  useEffect(() => {
    // Without an entry in the history: Back must not lead here again.
    if (!isInside) window.location.replace(hashOf(...homeOf(share)));
  }, [isInside]);
  return isInside ? <PresentPage /> : <Loading />;
}

function Ended({ error, retry }: { error: unknown; retry: () => void }) {
  useHeading("This link has ended");
  if (!(error instanceof ApiError && error.isNotFound)) return <ErrorBox error={error} retry={retry} />;
  return (
    <>
      <h1 class="visually-hidden">This link has ended</h1>
      <Empty title="This link shows nothing any more">
        <p>It has expired or was revoked, or what it showed was deleted. Ask its sender for another one.</p>
      </Empty>
    </>
  );
}
