/** The filter: suggestions while one types, and the server's error below its place. */
import { useEffect, useId, useRef, useState } from "preact/hooks";
import type { Keys } from "../rows/model.ts";
import { filterError, type Wrong } from "./filter-error.ts";
import { type Suggested, type Suggestion, suggest } from "./suggest.ts";

interface Props {
  filter: string;
  keys: Keys;
  valuesOf: (name: string) => readonly string[];
  error: unknown;
  onFilter: (filter: string) => void;
}

const NOTHING: Suggested = { from: 0, options: [] };

export function QueryBar({ filter, keys, valuesOf, error, onFilter }: Props) {
  const [text, setText] = useState(filter);
  const [list, setList] = useState(NOTHING);
  const [active, setActive] = useState(-1);
  const input = useRef<HTMLInputElement>(null);
  const id = useId();
  useEffect(() => setText(filter), [filter]);
  const failed = text === filter ? filterError(error, keys) : undefined;
  const close = () => {
    setList(NOTHING);
    setActive(-1);
  };
  const look = () => {
    const element = input.current;
    if (!element) return;
    setText(element.value);
    setActive(-1);
    setList(suggest(element.value.slice(0, element.selectionStart ?? 0), keys, valuesOf));
  };
  const take = (option: Suggestion) => {
    const element = input.current;
    if (!element) return;
    element.setRangeText(option.text, list.from, element.selectionStart ?? element.value.length, "end");
    element.focus();
    look();
  };
  const apply = () => {
    close();
    onFilter(text.trim());
  };
  const onKey = (event: KeyboardEvent) => {
    const count = list.options.length;
    if (event.key === "Enter") {
      event.preventDefault();
      const option = list.options[active];
      if (option) take(option);
      else apply();
    } else if (event.key === "Escape" && count) close();
    else if (event.key === "ArrowDown" && !count) look();
    else if (event.key === "ArrowDown") setActive((active + 1) % count);
    else if (event.key === "ArrowUp" && count)
      setActive((active + count) % (count + 1) === count ? -1 : active < 0 ? count - 1 : active - 1);
    else return;
    if (event.key !== "Enter") event.preventDefault();
  };
  return (
    <div class="query">
      <label class="visually-hidden" for={id}>
        Filter
      </label>
      <input
        ref={input}
        id={id}
        type="text"
        class="query-input"
        value={text}
        placeholder={'Filter: metrics.loss < 0.3 and tags = "best"'}
        role="combobox"
        spellcheck={false}
        autocomplete="off"
        autocapitalize="off"
        maxLength={4096}
        aria-expanded={list.options.length > 0}
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={active >= 0 ? `${id}-${active}` : undefined}
        aria-invalid={failed ? true : undefined}
        aria-describedby={failed ? `${id}-error` : undefined}
        onInput={look}
        onKeyDown={onKey}
        onBlur={apply}
      />
      <Options id={id} list={list} active={active} onTake={take} />
      {failed ? <FilterError id={`${id}-error`} error={failed} text={text} /> : null}
    </div>
  );
}

interface OptionsProps {
  id: string;
  list: Suggested;
  active: number;
  onTake: (option: Suggestion) => void;
}

function Options({ id, list, active, onTake }: OptionsProps) {
  return (
    <div id={`${id}-list`} class="query-list" role="listbox" aria-label="Suggestions" hidden={!list.options.length}>
      {list.options.map((option, at) => (
        // biome-ignore lint/a11y/useFocusableInteractive: see above
        // biome-ignore lint/a11y/useKeyWithClickEvents: the input has the keys
        <div
          key={option.text}
          id={`${id}-${at}`}
          role="option"
          class="query-option"
          aria-selected={at === active}
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => onTake(option)}
        >
          <span class="query-label">{option.label}</span>
          {option.hint ? <span class="note">{option.hint}</span> : null}
        </div>
      ))}
    </div>
  );
}

function FilterError({ id, error, text }: { id: string; error: Wrong; text: string }) {
  const before = [...text].slice(0, (error.column ?? 1) - 1).join("");
  return (
    <div class="query-error" id={id} role="alert">
      {error.column ? (
        <span class="query-place" aria-hidden="true">
          <span class="query-before">{before}</span>
          <span class="query-mark">▲</span>
        </span>
      ) : null}
      <span>
        {error.column ? `Column ${error.column}: ` : ""}
        {error.message}
      </span>
      <span class="query-unapplied">The filter is not applied.</span>
    </div>
  );
}
