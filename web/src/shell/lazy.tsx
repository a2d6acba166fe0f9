/** The page of the present location, fetched when it is opened first. */
import { useEffect, useState } from "preact/hooks";
import { Empty, Link, Loading } from "../components/basics.tsx";
import { ErrorBox } from "../components/error-box.tsx";
import { PAGES, type Page, type PageProps } from "../pages/registry.ts";
import { codeOf, loadCode } from "../start/page.ts";
import { useHeading } from "../state/heading.ts";
import { match } from "../state/location.ts";
import { location } from "../state/route.ts";
import { SECRET } from "../state/share.ts";
import { fetchModule } from "../state/upgrade.ts";
import { Guard } from "./guard.tsx";

export function PresentPage() {
  const { path } = location.value;
  for (const page of PAGES) {
    if (SECRET && !page.isShared) continue;
    const ids = match(page.pattern, path);
    // Another object is another page: no state of the last one may stay.
    if (ids) return <LazyPage key={path} page={page} ids={ids} />;
  }
  return <NoPage />;
}

function NoPage() {
  useHeading("No such page");
  return (
    <Empty title="There is no page at this address">
      <p>
        <Link to="/">{SECRET ? "Go to what is shared" : "Go to your projects"}</Link>
      </p>
    </Empty>
  );
}

function LazyPage({ page, ids }: PageProps & { page: Page }) {
  const [error, setError] = useState<unknown>();
  const [, setDone] = useState(0);
  const Found = codeOf(page);
  useEffect(() => {
    let left = false;
    if (!Found && !error)
      fetchModule(() => loadCode(page)).then(
        () => left || setDone((count) => count + 1),
        (reason) => left || setError(reason),
      );
    return () => {
      left = true;
    };
  }, [page, Found, error]);
  if (error) return <ErrorBox error={error} retry={() => setError(undefined)} />;
  return Found ? (
    <Guard>
      <Found ids={ids} />
    </Guard>
  ) : (
    <Loading />
  );
}
