/**
 * Text of models, made readable without being trusted: blocks of code, inline code, headings and list items are told
 * apart, and everything is shown as text. No HTML is ever made of it, and no link of it can be clicked.
 */
export type Block = { kind: "code"; lang: string; text: string } | { kind: "text"; text: string };

export function blocks(source: string): Block[] {
  const out: Block[] = [];
  let text: string[] = [];
  let code: { lang: string; fence: string; lines: string[] } | null = null;
  const flush = (): void => {
    const joined = text.join("\n").replace(/^\n+|\n+$/g, "");
    if (joined !== "") out.push({ kind: "text", text: joined });
    text = [];
  };
  for (const line of source.split("\n")) {
    if (code) {
      if (line.trim() === code.fence) {
        out.push({ kind: "code", lang: code.lang, text: code.lines.join("\n") });
        code = null;
      } else code.lines.push(line);
      continue;
    }
    const fence = /^\s*(```+|~~~+)\s*([\w+.#-]*)\s*$/.exec(line);
    if (fence) {
      flush();
      code = { fence: fence[1] ?? "```", lang: fence[2] ?? "", lines: [] };
    } else text.push(line);
  }
  // A reply that streams may end inside a block.
  if (code) out.push({ kind: "code", lang: code.lang, text: code.lines.join("\n") });
  flush();
  return out;
}

export type Piece = { kind: "plain" | "code" | "strong" | "heading"; text: string };

/** Inline code, bold, and lines that are headings; everything else is plain. */
export function pieces(text: string): Piece[] {
  const out: Piece[] = [];
  const plain = (piece: string): void => {
    const last = out.at(-1);
    if (piece === "") return;
    if (last?.kind === "plain") last.text += piece;
    else out.push({ kind: "plain", text: piece });
  };
  text.split("\n").forEach((line, i) => {
    if (i > 0) plain("\n");
    const heading = /^#{1,6}\s+(.*)$/.exec(line);
    if (heading) {
      out.push({ kind: "heading", text: heading[1] ?? "" });
      return;
    }
    let rest = line;
    for (;;) {
      const found = /`([^`\n]+)`|\*\*([^*\n]+)\*\*/.exec(rest);
      if (!found) break;
      plain(rest.slice(0, found.index));
      out.push(found[1] === undefined ? { kind: "strong", text: found[2] ?? "" } : { kind: "code", text: found[1] });
      rest = rest.slice(found.index + found[0].length);
    }
    plain(rest);
  });
  return out;
}

/** JSON if it is, else null. Numbers and words alone stay text. */
export function jsonOf(source: string): unknown {
  const trimmed = source.trim();
  if (!trimmed.startsWith("{") && !trimmed.startsWith("[")) return null;
  try {
    return JSON.parse(trimmed) as unknown;
  } catch {
    return null;
  }
}
