import type { Feature, Result } from "./importance.ts";
import workerUrl from "./importance.worker.ts?worker&url";

interface Policy {
  createScriptURL: (url: string) => string;
}
interface Policies {
  createPolicy: (name: string, rules: Policy) => Policy;
}

// The page's policy asks for trusted URLs of scripts: the only one is that of our own worker.
const policies = (window as { trustedTypes?: Policies }).trustedTypes;
const policy = policies?.createPolicy("deardiary-worker", {
  createScriptURL: (url) => {
    if (url !== workerUrl) throw new TypeError("not the worker of this page");
    return url;
  },
});

/** Importances by a worker; the signal ends it. */
export function askWorker(
  features: readonly Feature[],
  target: readonly number[],
  signal: AbortSignal,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(policy ? policy.createScriptURL(workerUrl) : workerUrl, { type: "module" });
    const end = (act: () => void) => {
      worker.terminate();
      act();
    };
    worker.onmessage = ({ data }: MessageEvent<Result>) => end(() => resolve(data));
    worker.onerror = (event) => end(() => reject(new Error(event.message || "The worker could not be started")));
    signal.addEventListener("abort", () => end(() => reject(signal.reason)));
    worker.postMessage({ features, target });
  });
}
