/** Images, histograms, tables and more, as they were logged: a card for each key, and one step for all cards. */
import { useRef } from "preact/hooks";
import { Empty, Loading } from "../../components/basics.tsx";
import { ErrorBox } from "../../components/error-box.tsx";
import { hashOf } from "../../state/location.ts";
import { location, setQuery } from "../../state/route.ts";
import { useSeen } from "../../state/seen.ts";
import { atStep, type Media as MediaOf, mediaOf, seriesOfMedia, stepsOf } from "./media.ts";
import type { PartProps, Schemas } from "./part.ts";
import { Preview } from "./preview.tsx";
import { StepSlider } from "./steps.tsx";
import { useFiles } from "./use-files.ts";

type Media = MediaOf<Schemas["Resource"]>;

export default function MediaPart(props: PartProps) {
  const list = useFiles(props);
  if (list.error && !list.data) return <ErrorBox error={list.error} retry={list.reload} />;
  if (!list.data) return <Loading />;
  const media = mediaOf(list.data);
  if (!media.length) {
    return (
      <Empty title="No media">
        <p>
          Images, histograms, tables, text, sound and video appear here when the program logs them, for example with{" "}
          <code>iteration.log_image("samples", image)</code>.
        </p>
      </Empty>
    );
  }
  const steps = stepsOf(media);
  // Without a choice the newest, also while more are logged.
  const step = Number(location.value.query.step ?? steps.at(-1));
  const before = steps.findLastIndex((each) => each <= step);
  const at = Math.max(0, before);
  const choose = (chosen: number) => setQuery({ step: String(steps[chosen]) });
  return (
    <>
      {steps.length > 1 ? <StepSlider steps={steps} at={at} choose={choose} /> : null}
      <ul class="media" aria-label="Media">
        {media.map((each) => (
          <Card key={`${each.key} ${each.steps[0]?.files[0]?.name}`} media={each} step={step} />
        ))}
      </ul>
    </>
  );
}

function Card({ media, step }: { media: Media; step: number }) {
  const card = useRef<HTMLLIElement>(null);
  const isSeen = useSeen(card);
  const shown = atStep(media, step);
  const first = shown?.files[0];
  const { path } = location.value;
  return (
    <li ref={card}>
      <header class="media-head">
        <h2>{first ? <a href={hashOf(path, { tab: "files", file: first.id })}>{media.key}</a> : media.key}</h2>
        <span class="note">{shown ? `step ${shown.step.toLocaleString()}` : "nothing yet at this step"}</span>
      </header>
      {isSeen && shown ? <Files files={shown.files} media={media} /> : null}
    </li>
  );
}

function Files({ files, media }: { files: readonly Schemas["Resource"][]; media: Media }) {
  const [first, ...others] = files;
  if (!first) return null;
  if (others.length) {
    return (
      <ul class="preview-beside">
        {files.map((each, index) => (
          <li key={index}>
            <Preview file={each} />
            <span class="note">{each.description}</span>
          </li>
        ))}
      </ul>
    );
  }
  return (
    <>
      <Preview file={first} series={seriesOfMedia(media)} />
      {first.description ? <p class="note">{first.description}</p> : null}
    </>
  );
}
