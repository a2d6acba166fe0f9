import { Button, Link } from "../components/basics.tsx";
import { Breadcrumb } from "../components/breadcrumb.tsx";
import { api } from "../state/api.ts";
import { lastQuery } from "../state/last-query.ts";
import { me, NEEDS_SIGN_IN, signOut } from "../state/session.ts";
import { setTheme, type Theme, theme } from "../state/theme.ts";
import { SearchBox } from "./search.tsx";

const THEMES: Record<Theme, string> = { system: "As the system", light: "Light", dark: "Dark" };

export function Header() {
  return (
    <header class="header">
      <Link to="/" class="brand">
        DearDiary
      </Link>
      <Breadcrumb
        link={(to, label) => (
          <Link to={to} query={lastQuery(to)}>
            {label}
          </Link>
        )}
      />
      <SearchBox />
      <UserMenu />
    </header>
  );
}

/** A link to another page leaves the menu open otherwise: the document stays. */
function closeMenu(event: MouseEvent & { currentTarget: HTMLElement }): void {
  if ((event.target as Element).closest("a")) event.currentTarget.hidePopover();
}

function UserMenu() {
  const user = me.value;
  return (
    <div class="menu-anchor">
      <button type="button" class="button plain" popovertarget="user-menu">
        {user?.username ?? "Menu"}
      </button>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the links in it are what is clicked, also by keyboard */}
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: Enter on a link is a click */}
      <div id="user-menu" popover="auto" class="menu" onClick={closeMenu}>
        <fieldset class="choices">
          <legend>Theme</legend>
          {Object.entries(THEMES).map(([name, label]) => (
            <label key={name}>
              <input
                type="radio"
                name="theme"
                checked={theme.value === name}
                onChange={() => setTheme(name as Theme)}
              />
              {label}
            </label>
          ))}
        </fieldset>
        <Link class="button plain" to="/account">
          Account and tokens
        </Link>
        <Link class="button plain" to="/trash">
          Trash
        </Link>
        {user?.is_admin ? (
          <Link class="button plain" to="/users">
            Users
          </Link>
        ) : null}
        <a class="button plain" href={`${api.site}/docs`}>
          API documentation
        </a>
        {NEEDS_SIGN_IN ? (
          <Button kind="plain" onClick={signOut}>
            Sign out
          </Button>
        ) : (
          <p class="note">This server needs no sign-in: everybody on this machine is its admin.</p>
        )}
      </div>
    </div>
  );
}
