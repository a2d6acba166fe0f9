/** Begin to load the page of the present location. */
import type { ComponentType } from "preact";
import { PAGES, type Page, type PageProps } from "../pages/registry.ts";
import { match, parseHash, secretOf } from "../state/location.ts";
import { askAhead } from "./ahead.ts";

const loaded = new Map<Page, ComponentType<PageProps>>();

/** The component of a page; undefined before its code is here. */
export function codeOf(page: Page): ComponentType<PageProps> | undefined {
  return loaded.get(page);
}

export async function loadCode(page: Page): Promise<void> {
  loaded.set(page, (await page.load()).default);
}

/** The reader of a share signs in first. A failure is left to the page, which asks again. */
export function startPage(): void {
  const { hash } = window.location;
  if (secretOf(hash)) return;
  const { path, query } = parseHash(hash);
  for (const page of PAGES) {
    const ids = match(page.pattern, path);
    if (!ids) continue;
    loadCode(page).catch(() => {});
    askAhead([...(page.asks?.(ids, query) ?? []), "/auth/me?include=permissions"]);
    return;
  }
}
