import type { JSX } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";

type FieldProps = JSX.IntrinsicElements["input"] & {
  label: string;
  error?: string | undefined;
  /** Called with the text after each input. */
  onText?: (text: string) => void;
};

/** A labelled input, with what is wrong with it below. An error brings the focus back to it. */
export function Field({ label, error, onText, ...input }: FieldProps) {
  const id = useId();
  const element = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (error) element.current?.focus();
  }, [error]);
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        {...input}
        {...(onText ? { onInput: (event) => onText(event.currentTarget.value) } : {})}
        ref={element}
        id={id}
        aria-invalid={error ? true : undefined}
        aria-describedby={error ? `${id}-error` : undefined}
      />
      {error ? (
        <p class="field-error" id={`${id}-error`}>
          {error}
        </p>
      ) : null}
    </div>
  );
}
