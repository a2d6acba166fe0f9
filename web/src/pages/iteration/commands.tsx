/** Commands to a running iteration: stop it, and see which ones wait. */
import { useRef, useState } from "preact/hooks";
import { Button } from "../../components/basics.tsx";
import { Confirm } from "../../components/confirm.tsx";
import { Time } from "../../components/time.tsx";
import { api } from "../../state/api.ts";
import { SECRET } from "../../state/share.ts";
import { cache, useList } from "../../state/use.ts";
import { useAtEnd } from "./at-end.ts";
import { type Command, describe, isOpen, stoppedLine, wasStopped } from "./commands.ts";
import { Failure, Traceback } from "./failure.tsx";
import { useAtNews } from "./live.ts";
import type { Iteration, PartProps } from "./part.ts";

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

/** Why it ended, and the commands to it. */
export function EndAndCommands(props: PartProps) {
  const { iteration, running, news } = props;
  const list = useList(PATH, { ids: { iteration_id: iteration.id } }, { when: !SECRET });
  const waits = (list.data ?? []).some(isOpen);
  useAtNews(news, waits ? SECONDS.waiting : SECONDS.idle, list.reload);
  useAtEnd(running && !SECRET, list.reload);
  const stop = list.data?.findLast((each) => each.kind === "stop" && each.state === "acknowledged");
  if (wasStopped(iteration, stop)) {
    return (
      <>
        <Stopped iteration={iteration} stop={stop} />
        <Commands {...props} commands={(list.data ?? []).filter((each) => each !== stop)} />
      </>
    );
  }
  return (
    <>
      <Failure {...props} />
      <Commands {...props} commands={list.data ?? []} />
    </>
  );
}

/** A stop on purpose is no failure: one line, and its traceback on request. */
function Stopped({ iteration, stop }: { iteration: Iteration; stop: Command | undefined }) {
  return (
    <section class="stopped" aria-label="Stop">
      <p>
        {stoppedLine(iteration.error_message, stop)}
        {stop ? (
          <span class="note">
            {" "}
            · sent <Time at={stop.created_date} />
          </span>
        ) : null}
      </p>
      <Traceback message={iteration.error_message} />
    </section>
  );
}

/** All while it runs; afterwards those that were carried out. */
function Commands({ commands, rights, running }: PartProps & { commands: readonly Command[] }) {
  const shown = commands.filter((each) => running || each.state === "acknowledged");
  if (!shown.length) return null;
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
