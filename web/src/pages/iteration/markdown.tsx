/** Markdown as elements. Markup in it is text, images are links, and links lead only to the web. */
import { lexer, type Token, type Tokens } from "marked";
import type { ComponentChildren } from "preact";
import { safeLink } from "./safe-link.ts";

export default function Markdown({ text }: { text: string }) {
  return <div class="markdown">{blocks(lexer(text))}</div>;
}

function blocks(tokens: Token[] | undefined): ComponentChildren {
  return (tokens ?? []).map((token, index) => <Block key={index} token={token} />);
}

// The page has headings of its own above these.
const HEADINGS = ["h3", "h4", "h5", "h6", "h6", "h6"] as const;

function Block({ token }: { token: Token }): ComponentChildren {
  switch (token.type) {
    case "space":
    case "def":
      return null;
    case "hr":
      return <hr />;
    case "heading": {
      const Heading = HEADINGS[(token as Tokens.Heading).depth - 1] ?? "h6";
      return <Heading>{blocks(token.tokens)}</Heading>;
    }
    case "paragraph":
      return <p>{blocks(token.tokens)}</p>;
    case "blockquote":
      return <blockquote>{blocks(token.tokens)}</blockquote>;
    case "code":
      return (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, also by keyboard
        <pre tabIndex={0}>
          <code>{(token as Tokens.Code).text}</code>
        </pre>
      );
    case "list":
      return <List token={token as Tokens.List} />;
    case "table":
      return <Table token={token as Tokens.Table} />;
    default:
      return <Inline token={token} />;
  }
}

function List({ token }: { token: Tokens.List }) {
  const items = token.items.map((item, index) => (
    <li key={index}>
      {item.task ? (item.checked ? "☑ " : "☐ ") : null}
      {blocks(item.tokens.filter((each) => each.type !== "checkbox"))}
    </li>
  ));
  return token.ordered ? <ol start={Number(token.start) || 1}>{items}</ol> : <ul>{items}</ul>;
}

function Table({ token }: { token: Tokens.Table }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a wide table scrolls, also by keyboard
    <section class="scroll" tabIndex={0} aria-label="Table">
      <table class="table">
        <thead>
          <tr>
            {token.header.map((cell, index) => (
              <th scope="col" key={index}>
                {blocks(cell.tokens)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {token.rows.map((row, index) => (
            <tr key={index}>
              {row.map((cell, column) => (
                <td key={column}>{blocks(cell.tokens)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Inline({ token }: { token: Token }): ComponentChildren {
  switch (token.type) {
    case "strong":
      return <strong>{blocks(token.tokens)}</strong>;
    case "em":
      return <em>{blocks(token.tokens)}</em>;
    case "del":
      return <del>{blocks(token.tokens)}</del>;
    case "codespan":
      return <code>{(token as Tokens.Codespan).text}</code>;
    case "br":
      return <br />;
    case "link":
      return <Out href={(token as Tokens.Link).href}>{blocks(token.tokens)}</Out>;
    case "image": {
      const image = token as Tokens.Image;
      return <Out href={image.href}>{image.text || image.href}</Out>;
    }
    case "escape":
      return (token as Tokens.Escape).text;
    case "text":
      return token.tokens ? blocks(token.tokens) : (token as Tokens.Text).text;
    default:
      return token.raw;
  }
}

function Out({ href, children }: { href: string; children: ComponentChildren }) {
  const safe = safeLink(href);
  return safe ? (
    <a href={safe} target="_blank" rel="noopener noreferrer nofollow">
      {children}
    </a>
  ) : (
    <span title={href}>{children}</span>
  );
}
