/** Where the table is scrolled to, and how large its part on the screen is. */
import { useLayoutEffect, useState } from "preact/hooks";

export interface ScrollPosition {
  top: number;
  left: number;
  width: number;
  height: number;
}

export function useScrollPosition(scroller: { current: HTMLElement | null }): ScrollPosition {
  const [position, setPosition] = useState<ScrollPosition>({ top: 0, left: 0, width: 1200, height: 800 });
  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const read = () => {
      const { scrollTop: top, scrollLeft: left, clientWidth: width, clientHeight: height } = element;
      setPosition((old) => {
        const same = old.top === top && old.left === left && old.width === width && old.height === height;
        return same ? old : { top, left, width, height };
      });
    };
    const observer = new ResizeObserver(read);
    observer.observe(element);
    element.addEventListener("scroll", read, { passive: true });
    read();
    return () => {
      observer.disconnect();
      element.removeEventListener("scroll", read);
    };
  }, []);
  return position;
}
