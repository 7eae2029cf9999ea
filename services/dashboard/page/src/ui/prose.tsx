/** Text of models as text: code blocks set apart, nothing ever parsed as HTML, nothing to click. */
import { useMemo, useState } from "preact/hooks";
import { blocks, jsonOf, pieces } from "../lib/prose";
import { CopyButton } from "./basic";
import { JsonView } from "./json";

const LONG = 12_000;

export function Prose({ text, streaming }: { text: string; streaming?: boolean }) {
  const [whole, setWhole] = useState(false);
  const shown = whole || text.length <= LONG ? text : text.slice(0, LONG);
  const parts = useMemo(() => blocks(shown), [shown]);
  return (
    <div class={streaming ? "prose prose-streaming" : "prose"}>
      {parts.map((block, i) =>
        block.kind === "code" ? (
          <CodeBlock key={i} text={block.text} lang={block.lang} />
        ) : (
          <p key={i}>
            {pieces(block.text).map((piece, j) => {
              if (piece.kind === "code") return <code key={j}>{piece.text}</code>;
              if (piece.kind === "strong" || piece.kind === "heading") return <strong key={j}>{piece.text}</strong>;
              return piece.text;
            })}
          </p>
        ),
      )}
      {shown.length < text.length && (
        <button type="button" class="link" onClick={() => setWhole(true)}>
          Show all {text.length.toLocaleString("en-US")} characters
        </button>
      )}
    </div>
  );
}

export function CodeBlock({ text, lang }: { text: string; lang?: string }) {
  return (
    <div class="codeblock">
      <div class="codeblock-head">
        <span>{lang || "text"}</span>
        <CopyButton text={text} what="code" />
      </div>
      <pre tabIndex={0}>
        <code>{text}</code>
      </pre>
    </div>
  );
}

/** A result that may be JSON or text. */
export function Content({ text, label }: { text: string; label: string }) {
  const json = useMemo(() => (text.length < 200_000 ? jsonOf(text) : null), [text]);
  return json === null ? <Prose text={text} /> : <JsonView value={json} open={2} label={label} />;
}
