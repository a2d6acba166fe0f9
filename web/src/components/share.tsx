/** A button that shares an object by a read-only link, lists its links, and revokes them. */
import { useState } from "preact/hooks";
import type { components } from "../api/operations.ts";
import { urlOf } from "../api/url.ts";
import { api } from "../state/api.ts";
import { cache, useList } from "../state/use.ts";
import { Button } from "./basics.tsx";
import { CopyButton } from "./copy.tsx";
import { Dialog } from "./dialog.tsx";
import { ErrorBox } from "./error-box.tsx";
import { Day, Time } from "./time.tsx";

type Share = components["schemas"]["Share"];
export type Shared = { experimentId: string } | { iterationIds: readonly string[] };

interface ShareProps {
  projectId: string;
  shared: Shared;
}

const PATH = "/projects/{project_id}/shares";
const DAYS = [1, 7, 30, 90, 365];

export function ShareButton(props: ShareProps) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button onClick={() => setOpen(true)}>Share</Button>
      <Dialog title="Share by a link" open={open} onClose={() => setOpen(false)}>
        <Sharing {...props} />
        <div class="form-actions">
          <Button onClick={() => setOpen(false)}>Close</Button>
        </div>
      </Dialog>
    </>
  );
}

function Sharing({ projectId, shared }: ShareProps) {
  const ids = { project_id: projectId };
  const [days, setDays] = useState(30);
  const [made, setMade] = useState<Share>();
  const [error, setError] = useState<unknown>();
  const list = useList(PATH, { ids });
  const change = (write: Promise<unknown>) =>
    write.then(() => setError(undefined), setError).finally(() => cache.invalidate(urlOf(PATH, ids)));
  const create = () =>
    change(api.post(PATH, { ids, body: { ...bodyOf(shared), expires_in_days: days } }).then(setMade));
  const revoke = (share: Share) => {
    if (share.id === made?.id) setMade(undefined);
    return change(api.delete("/projects/{project_id}/shares/{share_id}", { ids: { ...ids, share_id: share.id } }));
  };
  const own = (list.data ?? []).filter((each) => isOf(each, shared));
  return (
    <>
      <p>Everyone with the link sees this without an account: values, curves and files. It shows nothing else.</p>
      {made?.url ? (
        <p class="share-link">
          <input aria-label="Link" readOnly value={made.url} onFocus={(event) => event.currentTarget.select()} />
          <CopyButton text={made.url} label="Copy link" />
          <span class="note">Copy it now: the server keeps no copy of it.</span>
        </p>
      ) : (
        <p class="share-new">
          <label>
            Ends after{" "}
            <select value={days} onChange={(event) => setDays(Number(event.currentTarget.value))}>
              {DAYS.map((each) => (
                <option key={each} value={each}>
                  {each === 1 ? "1 day" : `${each} days`}
                </option>
              ))}
            </select>
          </label>
          <Button kind="primary" onClick={create}>
            Create link
          </Button>
        </p>
      )}
      {error ? <ErrorBox error={error} /> : null}
      {own.length ? <Links links={own} revoke={revoke} /> : null}
    </>
  );
}

function Links({ links, revoke }: { links: readonly Share[]; revoke: (share: Share) => void }) {
  return (
    <>
      <h3>Active links</h3>
      <ul class="share-links">
        {links.map((each) => (
          <li key={each.id}>
            <span>
              Created <Time at={each.created_date} />, ends <Day at={each.expires_at} />
            </span>
            <Button kind="danger" onClick={() => revoke(each)}>
              Revoke
            </Button>
          </li>
        ))}
      </ul>
    </>
  );
}

function bodyOf(shared: Shared) {
  return "experimentId" in shared
    ? { experiment_id: shared.experimentId }
    : { iteration_ids: [...shared.iterationIds] };
}

function isOf(share: Share, shared: Shared): boolean {
  if ("experimentId" in shared) return share.experiment_id === shared.experimentId;
  return [...(share.iteration_ids ?? [])].sort().join() === [...shared.iterationIds].sort().join();
}
