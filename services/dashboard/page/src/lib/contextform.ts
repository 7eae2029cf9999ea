/**
 * The context of a new task as a form: from the JSON Schema of its agent to fields, and from their texts to JSON. What is
 * right is for the server to say; here only what no JSON can be made of is wrong.
 *
 * Texts are kept by JSON pointer into the request, which is how the server names fields.
 */
import type { Errors } from "./submission";

export type Texts = Record<string, string>;

interface Common {
  /** Of the value, in the request. */
  pointer: string;
  key: string;
  label: string;
  hint: string;
  required: boolean;
  /** What it is filled with at first. */
  initial: string;
}

export type ContextField = Common &
  (
    | { kind: "text"; long: boolean; example: string }
    | { kind: "number"; whole: boolean; min: number | undefined; max: number | undefined; example: string }
    /** One of values, each as JSON. */
    | { kind: "choice"; options: { value: string; label: string }[] }
    /** Strings, one a line. */
    | { kind: "lines" }
    | { kind: "group"; fields: ContextField[] }
    /** Whatever has no control of its own, as JSON. */
    | { kind: "json" }
  );

type Schema = Record<string, unknown>;

/** Objects in objects that have fields of their own. */
const DEEPEST = 2;
const MOST_HOPS = 8;
const LONG_TEXT = 200;

const isObject = (value: unknown): value is Schema =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const text = (value: unknown): string => (typeof value === "string" ? value : "");
const amount = (value: unknown): number | undefined => (typeof value === "number" ? value : undefined);

/** The schema of contexts that an agent's definition has. */
export function contextSchema(definition: unknown): Schema | null {
  const schema = isObject(definition) ? definition["context_schema"] : null;
  return isObject(schema) ? schema : null;
}

/** The fields of a schema; null when there are none that could be named. */
export function fieldsOf(schema: Schema): ContextField[] | null {
  const fields = properties(schema, schema, "/context", 0);
  return fields.length > 0 ? fields : null;
}

function properties(root: Schema, schema: Schema, pointer: string, depth: number): ContextField[] {
  const all = isObject(schema["properties"]) ? schema["properties"] : {};
  const required = Array.isArray(schema["required"]) ? schema["required"] : [];
  const fallback = isObject(schema["default"]) ? schema["default"] : {};
  return Object.entries(all).map(([key, described]) => {
    const own = resolved(root, described);
    const initial = own["default"] ?? fallback[key];
    const common: Common = {
      pointer: `${pointer}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`,
      key,
      label: text(own["title"]) || key,
      hint: text(own["description"]),
      required: required.includes(key),
      initial: "",
    };
    const field = fieldOf(root, own, common, depth);
    return initial === undefined ? field : { ...field, initial: textOf(field, initial) ?? "" };
  });
}

/** A schema behind references inside of the same document; what stands beside a reference counts. */
function resolved(root: Schema, schema: unknown): Schema {
  let found = isObject(schema) ? schema : {};
  for (let hop = 0; hop < MOST_HOPS && text(found["$ref"]).startsWith("#/"); hop += 1) {
    const { $ref: reference, ...beside } = found;
    const parts = text(reference).slice(2).split("/");
    let target: unknown = root;
    for (const part of parts) {
      const name = part.replaceAll("~1", "/").replaceAll("~0", "~");
      target = isObject(target) ? target[name] : undefined;
    }
    found = { ...(isObject(target) ? target : {}), ...beside };
  }
  return found;
}

const COMBINED = ["$ref", "oneOf", "anyOf", "allOf", "if", "not"];

function fieldOf(root: Schema, schema: Schema, common: Common, depth: number): ContextField {
  const values = "const" in schema ? [schema["const"]] : schema["enum"];
  if (Array.isArray(values)) return { ...common, kind: "choice", options: values.map(option) };
  if (COMBINED.some((word) => word in schema)) return { ...common, kind: "json" };
  const example = Array.isArray(schema["examples"]) ? plain(schema["examples"][0]) : "";
  switch (onlyType(schema)) {
    case "string":
      return { ...common, kind: "text", long: (amount(schema["maxLength"]) ?? 0) > LONG_TEXT, example };
    case "integer":
    case "number": {
      const [min, max] = [amount(schema["minimum"]), amount(schema["maximum"])];
      return { ...common, kind: "number", whole: onlyType(schema) === "integer", min, max, example };
    }
    case "boolean":
      return {
        ...common,
        kind: "choice",
        options: [
          { value: "true", label: "Yes" },
          { value: "false", label: "No" },
        ],
      };
    case "array": {
      const items = resolved(root, schema["items"]);
      const lines = onlyType(items) === "string" && !COMBINED.some((word) => word in items);
      return lines ? { ...common, kind: "lines" } : { ...common, kind: "json" };
    }
    case "object": {
      const fields = depth < DEEPEST ? properties(root, schema, common.pointer, depth + 1) : [];
      return fields.length > 0 ? { ...common, kind: "group", fields } : { ...common, kind: "json" };
    }
    default:
      return { ...common, kind: "json" };
  }
}

/** The type, when there is one beside `null`. */
function onlyType(schema: Schema): string {
  const types = [schema["type"]].flat().filter((type) => type !== "null");
  return types.length === 1 ? text(types[0]) : "";
}

function option(value: unknown): { value: string; label: string } {
  return { value: JSON.stringify(value), label: plain(value) };
}

function plain(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}

/** What stands in the form: what was typed, else what it begins with. */
export function textAt(field: ContextField, texts: Texts): string {
  return texts[field.pointer] ?? field.initial;
}

/** The context that the texts stand for; undefined when nothing was filled in. */
export function toContext(fields: ContextField[], texts: Texts, errors: Errors): Schema | undefined {
  const context: [string, unknown][] = [];
  for (const field of fields) {
    const value = field.kind === "group" ? group(field, texts, errors) : valueOf(field, textAt(field, texts), errors);
    if (value !== undefined) context.push([field.key, value]);
  }
  return context.length > 0 ? Object.fromEntries(context) : undefined;
}

function group(field: ContextField & { kind: "group" }, texts: Texts, errors: Errors): Schema | undefined {
  // One that has to be there is sent empty, so that what it lacks is told at its own fields.
  return toContext(field.fields, texts, errors) ?? (field.required ? {} : undefined);
}

function valueOf(field: ContextField, typed: string, errors: Errors): unknown {
  if (field.kind === "text") return typed === "" ? undefined : typed;
  if (typed.trim() === "") return undefined;
  if (field.kind === "lines") return typed.split("\n").filter((line) => line.trim() !== "");
  if (field.kind === "number") {
    const value = Number(typed);
    if (Number.isFinite(value)) return value;
    errors[field.pointer] = "must be a number";
    return undefined;
  }
  try {
    return JSON.parse(typed) as unknown;
  } catch (error) {
    errors[field.pointer] = `not JSON: ${error instanceof Error ? error.message : ""}`;
    return undefined;
  }
}

/** A value as the text of its field; null when the field cannot hold it. */
function textOf(field: ContextField, value: unknown): string | null {
  switch (field.kind) {
    case "text":
      return typeof value === "string" && value !== "" ? value : null;
    case "number":
      return typeof value === "number" ? String(value) : null;
    case "choice": {
      const written = JSON.stringify(value);
      return field.options.some((one) => one.value === written) ? written : null;
    }
    case "lines": {
      const lines = Array.isArray(value) && value.length > 0 ? (value as unknown[]) : [null];
      const fit = lines.every((line) => typeof line === "string" && line.trim() !== "" && !line.includes("\n"));
      return fit ? lines.join("\n") : null;
    }
    case "json":
      return JSON.stringify(value, null, 2);
    case "group":
      return null;
  }
}

/** The texts of a context; null when the form cannot show all of it. */
export function toTexts(fields: ContextField[], context: unknown): Texts | null {
  if (!isObject(context)) return null;
  const texts: Texts = {};
  for (const field of fields) {
    const value = context[field.key];
    if (field.kind === "group") {
      if (value !== undefined && Object.keys(isObject(value) ? value : {}).length === 0 && !field.required) return null;
      const inner = toTexts(field.fields, value ?? {});
      if (!inner) return null;
      Object.assign(texts, inner);
      continue;
    }
    const written = value === undefined ? "" : textOf(field, value);
    if (written === null) return null;
    texts[field.pointer] = written;
  }
  const known = new Set(fields.map((field) => field.key));
  return Object.keys(context).every((key) => known.has(key)) ? texts : null;
}

/** What is wrong with the context and has no field that shows it. */
export function elsewhere(fields: ContextField[], errors: Errors): Errors {
  const shown = (list: ContextField[], pointer: string): boolean =>
    list.some((field) =>
      field.kind === "group"
        ? pointer === field.pointer || shown(field.fields, pointer)
        : pointer === field.pointer || pointer.startsWith(`${field.pointer}/`),
    );
  const ours = ([pointer]: [string, string]): boolean =>
    (pointer === "/context" || pointer.startsWith("/context/")) && !shown(fields, pointer);
  return Object.fromEntries(Object.entries(errors).filter(ours));
}
