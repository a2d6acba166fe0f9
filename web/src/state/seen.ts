import type { RefObject } from "preact";
import { useEffect, useState } from "preact/hooks";

/** True from the moment when the element is on the screen, or nearly. What it shows is not fetched before. */
export function useSeen(element: RefObject<Element | null>, margin = "200px"): boolean {
  const [seen, setSeen] = useState(false);
  useEffect(() => {
    if (seen || !element.current) return;
    const observer = new IntersectionObserver((entries) => setSeen(entries.some((each) => each.isIntersecting)), {
      rootMargin: margin,
    });
    observer.observe(element.current);
    return () => observer.disconnect();
  }, [seen, element, margin]);
  return seen;
}
