/** The deleted projects that a user may restore. */
import { Section } from "../components/basics.tsx";
import { useHeading } from "../state/heading.ts";
import { me } from "../state/session.ts";
import { useList } from "../state/use.ts";
import { TrashTable } from "../trash/trash-table.tsx";

export default function TrashPage() {
  useHeading("Trash");
  const list = useList("/trash", {});
  return (
    <>
      <h1>Trash</h1>
      <p class="note">Deleted experiments, iterations, files and models are in the trash of their project.</p>
      <Section title="Projects" count={list.data?.length}>
        <TrashTable list={list} mayDelete nameOf={(id) => (id === me.value?.id ? "you" : undefined)} />
      </Section>
    </>
  );
}
