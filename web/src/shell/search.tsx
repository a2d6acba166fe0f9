/** Search in all projects; Ctrl-K leads here. The results follow what is typed. */
import { useEffect, useRef } from "preact/hooks";
import { go, location, setQuery } from "../state/route.ts";
import { moveByArrow, resultLinks } from "../state/search-keys.ts";

const PATH = "/search";
const PAUSE = 250;

export function SearchBox() {
  const input = useRef<HTMLInputElement>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const cameFromPage = useRef(false);
  useEffect(() => {
    const focus = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        input.current?.focus();
        input.current?.select();
      }
      // From the box and from a result; a menu or dialog is closed by its own Escape.
      const isFree = !event.isComposing && !document.querySelector(":popover-open, dialog[open]");
      if (event.key === "Escape" && location.peek().path === PATH && isFree) {
        event.preventDefault();
        leave();
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
    else if (q) {
      cameFromPage.current = true;
      go(PATH, { q });
    }
  };
  const leave = () => {
    clearTimeout(timer.current);
    input.current?.blur();
    if (cameFromPage.current) history.back();
    else go("/");
  };
  /** Open the first result, if the page shows those of this text. */
  const open = () => {
    const { path, query } = location.peek();
    const isShown = path === PATH && query.q === input.current?.value.trim();
    if (isShown) resultLinks()[0]?.click();
    else search();
  };
  return (
    <search class="search">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          open();
        }}
      >
        <input
          ref={input}
          type="search"
          placeholder="Search"
          maxLength={250}
          aria-keyshortcuts="Control+K"
          aria-label="Search all projects"
          onKeyDown={(event) => {
            if (event.key === "ArrowDown") moveByArrow(event);
          }}
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
