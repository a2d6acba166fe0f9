import { useState } from "preact/hooks";
import { Button } from "../../components/basics.tsx";
import { fileName, saveText } from "../../components/save.ts";
import type { Column } from "../columns/columns.ts";
import { csvOf } from "../rows/csv.ts";
import type { TableData } from "../rows/table-data.ts";

interface Props {
  data: TableData;
  name: string;
  columns: readonly Column[];
  authorOf: (id: string) => string;
}

/** Saves the shown columns of all rows. */
export function CsvButton({ data, name, columns, authorOf }: Props) {
  const [isBusy, setBusy] = useState(false);
  const save = async () => {
    setBusy(true);
    try {
      saveText(fileName(name, "csv"), csvOf(await data.all(), columns, authorOf), "text/csv");
    } catch {
      // The table shows the error.
    } finally {
      setBusy(false);
    }
  };
  return (
    <Button onClick={save} disabled={isBusy}>
      CSV
    </Button>
  );
}
