import { useState } from "preact/hooks";
import { messageOf } from "../../api/errors.ts";
import { urlOf } from "../../api/url.ts";
import { api } from "../../state/api.ts";
import { cache, useList } from "../../state/use.ts";
import type { PartProps } from "./part.ts";

const PATH = "/iterations/{iteration_id}/tags";

export function Tags({ iteration, rights }: PartProps) {
  const ids = { iteration_id: iteration.id };
  const { data } = useList(PATH, { ids });
  const [error, setError] = useState<string>();
  const change = (write: Promise<unknown>) =>
    write.then(
      () => {
        setError(undefined);
        cache.invalidate(urlOf(PATH, ids));
      },
      (reason) => setError(messageOf(reason)),
    );
  if (!data || (!data.length && !rights.create)) return null;
  return (
    <div class="words">
      <span class="words-title">Tags</span>
      <div class="words-body">
        {data.map((each) => (
          <span class="tag" key={each.id} title={each.value}>
            <bdi class="tag-text">{each.value}</bdi>
            {rights.delete ? (
              <button
                type="button"
                class="tag-remove"
                aria-label={`Remove the tag ${each.value}`}
                onClick={() =>
                  change(api.delete("/iterations/{iteration_id}/tags/{tag_id}", { ids: { ...ids, tag_id: each.id } }))
                }
              >
                ×
              </button>
            ) : null}
          </span>
        ))}
        {rights.create ? <NewTag add={(value) => change(api.post(PATH, { ids, body: { value } }))} /> : null}
        {error ? (
          <span class="field-error" role="alert">
            {error}
          </span>
        ) : null}
      </div>
    </div>
  );
}

function NewTag({ add }: { add: (value: string) => void }) {
  const [text, setText] = useState("");
  const submit = (event: Event) => {
    event.preventDefault();
    if (text.trim()) add(text.trim());
    setText("");
  };
  return (
    <form class="new-word" onSubmit={submit}>
      <input
        aria-label="New tag"
        placeholder="Add a tag"
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
      />
    </form>
  );
}
