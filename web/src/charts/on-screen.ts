/** Whether an element is on the screen, or nearly. */
import { useEffect, useLayoutEffect, useState } from "preact/hooks";

const MARGIN = 300;
const watched = new Map<Element, (isNear: boolean) => void>();
let observer: IntersectionObserver | undefined;

function observe(element: Element, act: (isNear: boolean) => void): () => void {
  observer ??= new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) watched.get(target)?.(isIntersecting);
    },
    { rootMargin: `${MARGIN}px` },
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
  // The observer tells it a frame later.
  useLayoutEffect(() => setNear(!!ref.current && isOnScreen(ref.current)), []);
  useEffect(() => (ref.current ? observe(ref.current, setNear) : undefined), []);
  return isNear;
}

function isOnScreen(element: Element): boolean {
  const { top, bottom, left, right } = element.getBoundingClientRect();
  return top < innerHeight + MARGIN && bottom > -MARGIN && left < innerWidth + MARGIN && right > -MARGIN;
}
