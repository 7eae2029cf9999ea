/** What is typed into a filter goes to the URL a moment after the last key: each change of it is another question. */
import { useEffect, useRef, useState } from "preact/hooks";
import { query, setQuery } from "./url";

const TYPING_MS = 300;

export function useTyped(name: string, alsoClear: readonly string[] = []): [string, (value: string) => void] {
  const current = query.value[name] ?? "";
  const [text, setText] = useState(current);
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  useEffect(() => setText(current), [current]);
  useEffect(() => () => clearTimeout(timer.current ?? undefined), []);
  return [
    text,
    (value) => {
      setText(value);
      clearTimeout(timer.current ?? undefined);
      timer.current = setTimeout(
        () => setQuery({ ...Object.fromEntries(alsoClear.map((key) => [key, null])), [name]: value.trim() }),
        TYPING_MS,
      );
    },
  ];
}
