/** A piece of a curve: its colour and its dashes. */
export function Swatch({ colour, dash }: { colour: string; dash: readonly number[] }) {
  return (
    <svg class="swatch" width="18" height="8" viewBox="0 0 18 8" aria-hidden="true">
      <path d="M0 4h18" style={{ stroke: colour, strokeDasharray: dash.join(" ") }} />
    </svg>
  );
}
