import { useEffect, useRef } from "preact/hooks";

/** Read once more when the iteration has ended: what came after the last poll would be missing for good. */
export function useAtEnd(running: boolean, ...reads: (() => void)[]): void {
  const was = useRef(running);
  useEffect(() => {
    if (was.current && !running) for (const read of reads) read();
    was.current = running;
  }, [running]);
}
