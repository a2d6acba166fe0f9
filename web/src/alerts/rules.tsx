/** The form of the alert rules of a project or an experiment. It saves all of them together. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { ApiError } from "../api/errors.ts";
import { Button, Loading } from "../components/basics.tsx";
import { Choice, type Option } from "../components/choice.tsx";
import { ConfirmForm } from "../components/confirm.tsx";
import { ErrorBox } from "../components/error-box.tsx";
import { Field } from "../components/field.tsx";
import { type Owner, type Rule, readRules, replaceRules } from "./rules-of.ts";

export interface RulesProps {
  owner: Owner;
  onClose: () => void;
}

const MOST = 10;
const NEW: Rule = { name: "", condition: "", level: "warning" };
const LEVELS: Option[] = ["info", "warning", "error"].map((each) => [each, each]);

export default function Rules({ owner, onClose }: RulesProps) {
  const [found, setFound] = useState<readonly Rule[]>();
  const [error, setError] = useState<unknown>();
  const read = () => {
    setError(undefined);
    readRules(owner).then(setFound, setError);
  };
  useEffect(read, []);
  if (error) return <ErrorBox error={error} retry={read} />;
  return found ? <RulesForm owner={owner} found={found} onClose={onClose} /> : <Loading />;
}

function RulesForm({ owner, found, onClose }: RulesProps & { found: readonly Rule[] }) {
  const [rules, setRules] = useState(found);
  const [wrong, setWrong] = useState<ApiError>();
  const change = (changed: readonly Rule[]) => {
    // The error names a rule by its number, which may be another rule's now.
    setWrong(undefined);
    setRules(changed);
  };
  const showAtField = (error: ApiError) => {
    const hasLine = /^rules\[\d+\]\.(name|condition)$/.test(error.field ?? "");
    if (hasLine) setWrong(error);
    return hasLine;
  };
  return (
    <ConfirmForm
      action="Save"
      act={() => replaceRules(owner, found, rules)}
      showAtField={showAtField}
      disabled={rules === found}
      onClose={onClose}
    >
      <p class="note">
        A rule makes an alert when a logged value meets its condition, once for each iteration. A condition compares a
        metric: <code>metrics.loss &gt; 10</code>, or <code>metrics.loss is NaN</code>.
        {"experimentId" in owner ? " The rules of the project hold here too." : null}
      </p>
      {rules.map((each, at) => (
        <RuleLine
          key={at}
          rule={each}
          number={at + 1}
          errorAt={(field) => (wrong?.field === `rules[${at}].${field}` ? wrong.message : undefined)}
          onChange={(changed) => change(rules.with(at, changed))}
          onRemove={() => change(rules.toSpliced(at, 1))}
        />
      ))}
      <div>
        <Button disabled={rules.length >= MOST} onClick={() => change([...rules, NEW])}>
          Add a rule
        </Button>
        {rules.length >= MOST ? <span class="note"> There are at most {MOST}.</span> : null}
      </div>
    </ConfirmForm>
  );
}

interface RuleLineProps {
  rule: Rule;
  number: number;
  errorAt: (field: "name" | "condition") => string | undefined;
  onChange: (rule: Rule) => void;
  onRemove: () => void;
}

function RuleLine({ rule, number, errorAt, onChange, onRemove }: RuleLineProps) {
  const line = useRef<HTMLFieldSetElement>(null);
  useEffect(() => {
    if (rule === NEW) line.current?.querySelector("input")?.focus();
  }, []);
  const text = { required: true, maxLength: 255, autocomplete: "off" };
  return (
    <fieldset class="rule" ref={line}>
      <legend class="visually-hidden">Rule {number}</legend>
      <Field
        {...text}
        label="Name"
        value={rule.name}
        error={errorAt("name")}
        onText={(name) => onChange({ ...rule, name })}
      />
      <Field
        {...text}
        label="Condition"
        class="code"
        value={rule.condition}
        error={errorAt("condition")}
        onText={(condition) => onChange({ ...rule, condition })}
      />
      <Choice label="Level" value={rule.level} options={LEVELS} onChoose={(level) => onChange({ ...rule, level })} />
      <Button kind="plain" aria-label={`Remove rule ${number}`} onClick={onRemove}>
        Remove
      </Button>
    </fieldset>
  );
}
