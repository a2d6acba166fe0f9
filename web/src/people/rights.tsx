/** The four permissions on a project: as text, and as a choice. */

export const RIGHTS = ["read", "create", "update", "delete"] as const;
export type Right = (typeof RIGHTS)[number];
type Permissions = Record<`${Right}_permission`, boolean>;

export function permissionsOf(rights: ReadonlySet<Right>): Permissions {
  return Object.fromEntries(RIGHTS.map((each) => [`${each}_permission`, rights.has(each)])) as Permissions;
}

export function textOf(held: Permissions): string {
  return RIGHTS.filter((each) => held[`${each}_permission`]).join(", ") || "nothing";
}

interface RightsChoiceProps {
  chosen: ReadonlySet<Right>;
  onChoose: (rights: ReadonlySet<Right>) => void;
}

export function RightsChoice({ chosen, onChoose }: RightsChoiceProps) {
  const toggle = (right: Right) => onChoose(new Set(RIGHTS.filter((each) => chosen.has(each) !== (each === right))));
  return (
    <fieldset class="choices">
      <legend>Permissions</legend>
      {RIGHTS.map((each) => (
        <label key={each}>
          <input type="checkbox" checked={chosen.has(each)} onChange={() => toggle(each)} />
          {each}
        </label>
      ))}
    </fieldset>
  );
}
