/** A labelled choice of one. */
import { useId } from "preact/hooks";

export type Option = [value: string, label: string];

export function Choice(props: {
  label: string;
  value: string;
  options: readonly Option[];
  more?: { label: string; options: readonly Option[] };
  onChoose: (value: string) => void;
}) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{props.label}</label>
      <select id={id} value={props.value} onChange={(event) => props.onChoose(event.currentTarget.value)}>
        <Options options={props.options} chosen={props.value} />
        {props.more ? (
          <optgroup label={props.more.label}>
            <Options options={props.more.options} chosen={props.value} />
          </optgroup>
        ) : null}
      </select>
    </div>
  );
}

function Options({ options, chosen }: { options: readonly Option[]; chosen: string }) {
  return options.map(([value, label]) => (
    <option key={value} value={value} selected={value === chosen}>
      {label}
    </option>
  ));
}
