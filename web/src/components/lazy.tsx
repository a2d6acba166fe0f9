/** Components whose code is fetched when they are shown first. */
import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { fetchModule } from "../state/upgrade.ts";
import { Loading } from "./basics.tsx";
import { ErrorBox } from "./error-box.tsx";

export function lazy<P extends object>(load: () => Promise<{ default: ComponentType<P> }>): ComponentType<P> {
  let found: ComponentType<P> | undefined;
  return function Lazy(props: P) {
    const [, setDone] = useState(0);
    const [error, setError] = useState<unknown>();
    useEffect(() => {
      if (found || error) return;
      fetchModule(load).then((module) => {
        found = module.default;
        setDone((count) => count + 1);
      }, setError);
    }, [error]);
    if (error) return <ErrorBox error={error} retry={() => setError(undefined)} />;
    const Found = found;
    return Found ? <Found {...props} /> : <Loading />;
  };
}
