import { Component, type ComponentChild, type ComponentClass } from "preact";

/** A component without hooks that renders again only when one of its props is another value. */
export function memo<P extends object>(render: (props: P) => ComponentChild): ComponentClass<P> {
  return class extends Component<P> {
    override shouldComponentUpdate(next: Readonly<P>): boolean {
      const names = Object.keys(next) as (keyof P)[];
      return names.some((name) => next[name] !== this.props[name]);
    }

    override render(props: Readonly<P>): ComponentChild {
      return render(props);
    }
  };
}
