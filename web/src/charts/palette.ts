/** Colours of the style sheet for a canvas, which knows no custom properties. */
import { effect, signal } from "@preact/signals";
import { theme } from "../state/theme.ts";

/** Changes when the colours do. */
export const paletteVersion = signal(0);
const known = new Map<string, string>();
let probe: HTMLElement | undefined;

function forget(): void {
  known.clear();
  paletteVersion.value = paletteVersion.peek() + 1;
}

effect(() => {
  theme.value;
  forget();
});
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", forget);

/** The present colour of a custom property such as `--text`. */
export function resolveColour(name: string): string {
  const found = known.get(name);
  if (found) return found;
  if (!probe) {
    probe = document.createElement("span");
    probe.hidden = true;
    document.body.append(probe);
  }
  probe.style.color = `var(${name})`;
  const colour = getComputedStyle(probe).color;
  known.set(name, colour);
  return colour;
}
