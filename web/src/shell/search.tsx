/** The place of the search in all projects; Ctrl-K leads here. */
import { useEffect, useRef } from "preact/hooks";
import { go, location } from "../state/route.ts";

export function SearchBox() {
  const input = useRef<HTMLInputElement>(null);
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
  return (
    <search class="search">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          go("/search", { q: input.current?.value.trim() });
        }}
      >
        <input
          ref={input}
          type="search"
          placeholder="Search"
          aria-keyshortcuts="Control+K"
          aria-label="Search all projects"
          defaultValue={path === "/search" ? (query.q ?? "") : ""}
        />
        <kbd>Ctrl K</kbd>
      </form>
    </search>
  );
}
