/** Light, dark, or as the system has it. The style sheet draws both with light-dark(). */
import { computed, effect } from "@preact/signals";
import { prefer, preferences } from "./preferences.ts";

export type Theme = "system" | "light" | "dark";
const THEMES: readonly Theme[] = ["system", "light", "dark"];

export const theme = computed<Theme>(() => THEMES.find((each) => each === preferences.value.theme) ?? "system");

effect(() => {
  document.documentElement.dataset.theme = theme.value;
});

export function setTheme(chosen: Theme): void {
  prefer("theme", chosen === "system" ? undefined : chosen).catch(() => {
    // It holds in this browser.
  });
}
