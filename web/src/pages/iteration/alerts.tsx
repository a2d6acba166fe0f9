/** What the program, or a rule on its metrics, wants people to know: the newest first. */
import { useState } from "preact/hooks";
import { Button } from "../../components/basics.tsx";
import { Time } from "../../components/time.tsx";
import { SECRET } from "../../state/share.ts";
import { useList } from "../../state/use.ts";
import { useAtEnd } from "./at-end.ts";
import { useAtNews } from "./live.ts";
import type { PartProps, Schemas } from "./part.ts";

/** The feed says nothing of alerts: while the program is alive they are read this often, in seconds. */
const SECONDS = 30;
/** More are shown on request. */
const MOST = 3;
const LONG = 300;

export function Alerts({ iteration, running, news }: PartProps) {
  const [all, setAll] = useState(false);
  const ids = { iteration_id: iteration.id };
  const list = useList("/iterations/{iteration_id}/alerts", { ids }, { when: !SECRET });
  useAtNews(news, SECONDS, list.reload);
  useAtEnd(running && !SECRET, list.reload);
  if (!list.data?.length) return null;
  const alerts = list.data.toReversed();
  return (
    <section class="alerts" aria-label="Alerts">
      <ul aria-live="polite">
        {(all ? alerts : alerts.slice(0, MOST)).map((each) => (
          <AlertItem key={each.id} alert={each} />
        ))}
      </ul>
      {!all && alerts.length > MOST ? (
        <Button kind="plain" onClick={() => setAll(true)}>
          Show all {alerts.length} alerts
        </Button>
      ) : null}
    </section>
  );
}

function AlertItem({ alert }: { alert: Schemas["Alert"] }) {
  return (
    <li class={`is-${alert.level}`}>
      <p class="alert-head">
        <bdi class="strong">{alert.title}</bdi>
        <span class="note">
          {alert.level}, {alert.created_by ? "by the program" : "by a rule"} · <Time at={alert.created_date} />
        </span>
      </p>
      {alert.text ? <AlertText text={alert.text} /> : null}
    </li>
  );
}

function AlertText({ text }: { text: string }) {
  if (text.length <= LONG) return <p class="alert-text">{text}</p>;
  return (
    <details>
      <summary>{text.slice(0, LONG / 2)}…</summary>
      <p class="alert-text">{text}</p>
    </details>
  );
}
