import assert from "node:assert/strict";
import { test } from "node:test";
import { linksIn } from "./linked.ts";

const links = (text: string) => linksIn(text).filter((part) => part.href);

test("an address of the web is a link, and what surrounds it is text", () => {
  const parts = linksIn("see https://example.org/a?b=c#d, then HTTP://x.y.");
  assert.deepEqual(parts, [
    { text: "see " },
    { text: "https://example.org/a?b=c#d", href: "https://example.org/a?b=c#d" },
    { text: ", then " },
    { text: "HTTP://x.y", href: "http://x.y/" },
    { text: "." },
  ]);
});

test("a bracket belongs to an address that opens it", () => {
  assert.equal(links("(https://en.org/wiki/A_(b))")[0]?.text, "https://en.org/wiki/A_(b)");
  assert.equal(links("(https://en.org)")[0]?.text, "https://en.org");
});

test("nothing else is a link", () => {
  for (const text of ["javascript:alert(1)", "data:text/html,x", "https://", "ftp://a.b", "xhttps:/a", ""]) {
    assert.deepEqual(links(text), [], text);
    assert.equal(
      linksIn(text)
        .map((part) => part.text)
        .join(""),
      text,
    );
  }
});

test("an address ends where the text changes its direction", () => {
  assert.equal(links("https://a.b/\u202egpj.exe")[0]?.text, "https://a.b/");
});
