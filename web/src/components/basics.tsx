/** The small parts of every page. */
import type { ComponentChildren, JSX } from "preact";
import { hashOf } from "../state/location.ts";

type ButtonProps = Omit<JSX.IntrinsicElements["button"], "size" | "icon"> & {
  /** One primary button a view at most; "plain" has no border until it is pointed at. */
  kind?: "primary" | "danger" | "plain";
};

export function Button({ kind, class: given, ...others }: ButtonProps) {
  return <button type="button" class={`button ${kind ?? ""} ${given ?? ""}`} {...others} />;
}

interface LinkProps {
  to: string;
  query?: Readonly<Record<string, string | undefined>> | undefined;
  children: ComponentChildren;
  class?: string;
  tabIndex?: number;
}

/** A link to another page of the dashboard. */
export function Link({ to, query, children, class: given, tabIndex }: LinkProps) {
  return (
    <a href={hashOf(to, query)} class={given} tabIndex={tabIndex}>
      {children}
    </a>
  );
}

interface EmptyProps {
  title: string;
  children?: ComponentChildren;
}

/** In place of a list without rows: what would be here, and how it gets here. */
export function Empty({ title, children }: EmptyProps) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children}
    </div>
  );
}

/** A thin line that moves while the page waits; it appears late, so that quick answers do not flicker. */
export function Loading({ what = "Loading" }: { what?: string }) {
  return (
    <div class="loading" role="status">
      <span class="visually-hidden">{what}…</span>
    </div>
  );
}

/** A part of a page, with a heading and what can be done in it. */
export function Section(props: {
  title: string;
  count?: number | undefined;
  actions?: ComponentChildren;
  children: ComponentChildren;
}) {
  return (
    <section class="section">
      <header class="section-head">
        <h2>
          {props.title}
          {props.count === undefined ? null : <span class="count"> {props.count.toLocaleString()}</span>}
        </h2>
        {props.actions}
      </header>
      {props.children}
    </section>
  );
}
