/** Commands to a running iteration: stop it, and see which ones wait. */
import { useRef, useState } from "preact/hooks";
import { Button } from "../../components/basics.tsx";
import { Confirm } from "../../components/confirm.tsx";
import { Time } from "../../components/time.tsx";
import { api } from "../../state/api.ts";
import { cache, useList } from "../../state/use.ts";
import { useAtEnd } from "./at-end.ts";
import { type Command, describe, isOpen } from "./commands.ts";
import { useAtNews } from "./live.ts";
import type { PartProps } from "./part.ts";

const PATH = "/iterations/{iteration_id}/commands";
/** The feed says nothing of commands: while one waits each heartbeat may answer it; else others may send one. */
const SECONDS = { waiting: 0, idle: 60 };

export function StopButton({ iteration }: PartProps) {
  const [open, setOpen] = useState(false);
  // The same click, sent twice, is one command.
  const key = useRef("");
  const sent = useList(PATH, { ids: { iteration_id: iteration.id } }).data?.some(isOpenStop);
  const stop = async () => {
    const body = { kind: "stop", id_key: key.current };
    await api.post(PATH, { ids: { iteration_id: iteration.id }, body });
    refresh(iteration.id);
  };
  const ask = () => {
    key.current = crypto.randomUUID();
    setOpen(true);
  };
  return (
    <>
      <Button kind="danger" onClick={ask} disabled={sent}>
        {sent ? "Stopping…" : "Stop"}
      </Button>
      {open ? (
        <Confirm title="Stop this iteration?" action="Stop it" danger onClose={() => setOpen(false)} act={stop}>
          <p>
            The program ends itself when it sends its next values, as Ctrl-C would end it. What it has logged stays.
          </p>
        </Confirm>
      ) : null}
    </>
  );
}

function isOpenStop(command: Command): boolean {
  return command.kind === "stop" && isOpen(command);
}

/** All while it runs; afterwards those that were carried out. */
export function Commands({ iteration, rights, running, news }: PartProps) {
  const list = useList(PATH, { ids: { iteration_id: iteration.id } });
  const waits = (list.data ?? []).some(isOpen);
  useAtNews(news, waits ? SECONDS.waiting : SECONDS.idle, list.reload);
  useAtEnd(running, list.reload);
  const shown = list.data?.filter((each) => running || each.state === "acknowledged");
  if (!shown?.length) return null;
  return (
    <section aria-label="Commands">
      <ul class="commands" aria-live="polite">
        {shown.map((each) => (
          <li key={each.id}>
            <strong>{each.kind}</strong>
            {each.text ? <code>{each.text}</code> : null}
            <span class="note">
              {describe(each)} · sent <Time at={each.created_date} />
            </span>
            {each.state === "pending" && rights.update && running ? <Withdraw command={each} /> : null}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Withdraw({ command }: { command: Command }) {
  const [error, setError] = useState(false);
  const withdraw = async () => {
    const ids = { iteration_id: command.iteration_id, command_id: command.id };
    await api.delete("/iterations/{iteration_id}/commands/{command_id}", { ids }).catch(() => setError(true));
    refresh(command.iteration_id);
  };
  return error ? (
    <span class="note" role="alert">
      Too late to withdraw it
    </span>
  ) : (
    <Button kind="plain" onClick={withdraw}>
      Withdraw
    </Button>
  );
}

function refresh(iterationId: string): void {
  cache.invalidate(`/iterations/${encodeURIComponent(iterationId)}/commands`);
}
