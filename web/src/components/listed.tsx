/** A list as a section with a table: on its way, failed, without rows, or shown. */
import type { ComponentChildren } from "preact";
import type { Shown } from "../state/use.ts";
import { Loading, Section } from "./basics.tsx";
import { ErrorBox } from "./error-box.tsx";

interface ListSectionProps<T> {
  title: string;
  list: Shown<T[]>;
  actions?: ComponentChildren;
  /** In place of the table of a list without rows. */
  empty?: ComponentChildren;
  children: (rows: readonly T[]) => ComponentChildren;
}

export function ListSection<T>({ title, list, actions, empty, children }: ListSectionProps<T>) {
  return (
    <Section title={title} count={list.data?.length} actions={actions}>
      <Listed list={list} empty={empty}>
        {children}
      </Listed>
    </Section>
  );
}

type TableSectionProps<T> = Omit<ListSectionProps<T>, "children"> &
  Pick<TableProps, "head" | "class"> & { row: (each: T) => ComponentChildren };

/** The same with a table, which has a row for each object. */
export function TableSection<T>({ head, class: given = "", row, ...section }: TableSectionProps<T>) {
  return (
    <ListSection {...section}>
      {(rows) => (
        <Table label={section.title} class={given} head={head}>
          {rows.map(row)}
        </Table>
      )}
    </ListSection>
  );
}

/** The same without a section. After an error the rows of before stay. */
export function Listed<T>({ list, empty, children }: Pick<ListSectionProps<T>, "list" | "empty" | "children">) {
  return (
    <>
      {list.error ? <ErrorBox error={list.error} retry={list.reload} /> : null}
      {!list.data && !list.error ? <Loading /> : null}
      {list.data?.length ? children(list.data) : list.data && empty}
    </>
  );
}

/** A column with controls has a heading for screen readers alone. */
export const ACTIONS = Symbol("actions");
type Heading = string | { number: string } | typeof ACTIONS;

interface TableProps {
  label: string;
  head: readonly Heading[];
  class?: string;
  children: ComponentChildren;
}

/** A table that scrolls where it is wider than the screen. */
export function Table({ label, head, class: given = "", children }: TableProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a wide table scrolls, also by keyboard
    <section class="scroll" tabIndex={0} aria-label={label}>
      <table class={`table ${given}`}>
        <thead>
          <tr>
            {head.map((each, at) => (
              <HeadingCell key={at} heading={each} />
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </section>
  );
}

function HeadingCell({ heading }: { heading: Heading }) {
  if (typeof heading === "string") return <th scope="col">{heading}</th>;
  if (heading === ACTIONS) {
    return (
      <th scope="col">
        <span class="visually-hidden">Actions</span>
      </th>
    );
  }
  return (
    <th scope="col" class="number">
      {heading.number}
    </th>
  );
}
