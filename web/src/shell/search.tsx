/** Search in all projects; Ctrl-K leads here. The results follow what is typed. */
import { useEffect, useRef } from "preact/hooks";
import { go, location, setQuery } from "../state/route.ts";

const PATH = "/search";
const PAUSE = 250;

export function SearchBox() {
  const input = useRef<HTMLInputElement>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => {
    const focus = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        input.current?.focus();
        input.current?.select();
      }
    };
    window.addEventListener("keydown", focus);
    return () => window.removeEventListener("keydown", focus);
  }, []);
  const { path, query } = location.value;
  // Another page has another text, but no result may change what is being typed.
  useEffect(() => {
    if (input.current && document.activeElement !== input.current)
      input.current.value = path === PATH ? (query.q ?? "") : "";
  }, [path, query.q]);
  const search = () => {
    clearTimeout(timer.current);
    const q = input.current?.value.trim();
    if (location.peek().path === PATH) setQuery({ q });
    else if (q) go(PATH, { q });
  };
  return (
    <search class="search">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          search();
        }}
      >
        <input
          ref={input}
          type="search"
          placeholder="Search"
          maxLength={250}
          aria-keyshortcuts="Control+K"
          aria-label="Search all projects"
          onInput={() => {
            clearTimeout(timer.current);
            timer.current = setTimeout(search, PAUSE);
          }}
        />
        <kbd>Ctrl K</kbd>
      </form>
    </search>
  );
}
