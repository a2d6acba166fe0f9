import { Component, type ComponentChildren } from "preact";
import { ErrorBox } from "../components/error-box.tsx";

/** An error in a page leaves the rest of the dashboard standing. */
export class Guard extends Component<{ children: ComponentChildren }, { error?: unknown }> {
  override state: { error?: unknown } = {};

  static override getDerivedStateFromError(error: unknown) {
    return { error };
  }

  override componentDidCatch(error: unknown) {
    console.error(error);
  }

  override render() {
    const { error } = this.state;
    return error ? <ErrorBox error={error} retry={() => this.setState({ error: undefined })} /> : this.props.children;
  }
}
