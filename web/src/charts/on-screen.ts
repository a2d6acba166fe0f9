/** Whether an element is on the screen, or nearly. */
import { useEffect, useState } from "preact/hooks";

const MARGIN = "300px";
const watched = new Map<Element, (isNear: boolean) => void>();
let observer: IntersectionObserver | undefined;

function observe(element: Element, act: (isNear: boolean) => void): () => void {
  observer ??= new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) watched.get(target)?.(isIntersecting);
    },
    { rootMargin: MARGIN },
  );
  watched.set(element, act);
  observer.observe(element);
  return () => {
    watched.delete(element);
    observer?.unobserve(element);
  };
}

export function useOnScreen(ref: { current: Element | null }): boolean {
  const [isNear, setNear] = useState(false);
  useEffect(() => (ref.current ? observe(ref.current, setNear) : undefined), []);
  return isNear;
}
