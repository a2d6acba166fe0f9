/** Labels, a line each. */
export function Labels({ labels }: { labels: Readonly<Record<string, string>> | undefined }) {
  const entries = Object.entries(labels ?? {});
  if (!entries.length) return null;
  return (
    <dl class="facts">
      {entries.map(([key, value]) => (
        <>
          <dt key={`${key} key`}>
            <bdi>{key}</bdi>
          </dt>
          <dd key={key}>
            <bdi>{value}</bdi>
          </dd>
        </>
      ))}
    </dl>
  );
}
