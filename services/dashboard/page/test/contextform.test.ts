import { describe, expect, it } from "vitest";
import { contextSchema, elsewhere, fieldsOf, textAt, toContext, toTexts } from "../src/lib/contextform";
import { EMPTY, toBody } from "../src/lib/submission";

const SCHEMA = {
  type: "object",
  required: ["customer", "address"],
  $defs: { country: { type: "string", enum: ["pt", "es"], description: "Where to." } },
  properties: {
    customer: { type: "integer", minimum: 1, description: "Number of the customer." },
    tone: { type: "string", default: "kind", title: "Tone of voice" },
    discount: { type: ["number", "null"] },
    urgent: { type: "boolean", default: false },
    tags: { type: "array", items: { type: "string" } },
    address: {
      type: "object",
      required: ["city"],
      properties: {
        city: { type: "string" },
        country: { $ref: "#/$defs/country" },
        place: { type: "object", properties: { deep: { type: "object", properties: { x: { type: "string" } } } } },
      },
    },
    "a/b": { anyOf: [{ type: "string" }, { type: "integer" }] },
  },
};
const fields = fieldsOf(SCHEMA) ?? [];
const build = (texts: Record<string, string>) => {
  const errors = {};
  return { context: toContext(fields, texts, errors), errors };
};

describe("the schema of an agent's context", () => {
  it("is found in its definition, if there is one", () => {
    expect(contextSchema({ context_schema: SCHEMA })).toBe(SCHEMA);
    for (const none of [undefined, null, {}, { context_schema: true }]) expect(contextSchema(none)).toBeNull();
    expect(fieldsOf({ type: "object" })).toBeNull();
    expect(fieldsOf({ type: "object", properties: [] })).toBeNull();
  });

  it("becomes fields", () => {
    const seen = fields.map((f) => [f.kind, f.pointer, f.label, f.required, f.initial]);
    expect(seen).toEqual([
      ["number", "/context/customer", "customer", true, ""],
      ["text", "/context/tone", "Tone of voice", false, "kind"],
      ["number", "/context/discount", "discount", false, ""],
      ["choice", "/context/urgent", "urgent", false, "false"],
      ["lines", "/context/tags", "tags", false, ""],
      ["group", "/context/address", "address", true, ""],
      ["json", "/context/a~1b", "a/b", false, ""],
    ]);
    const address = fields[5];
    const inner = address?.kind === "group" ? address.fields : [];
    expect(inner.map((f) => [f.kind, f.pointer, f.hint])).toEqual([
      ["text", "/context/address/city", ""],
      ["choice", "/context/address/country", "Where to."],
      ["group", "/context/address/place", ""],
    ]);
    // Deeper than that is JSON.
    const place = inner[2];
    expect(place?.kind === "group" && place.fields[0]?.kind).toBe("json");
  });

  it("survives one that refers to itself", () => {
    const endless = { $defs: { a: { $ref: "#/$defs/a" } }, properties: { a: { $ref: "#/$defs/a" } } };
    expect(fieldsOf(endless)?.[0]?.kind).toBe("json");
    const nested = { $defs: { n: { type: "object", properties: { n: { $ref: "#/$defs/n" } } } } };
    expect(fieldsOf({ ...nested, properties: { n: { $ref: "#/$defs/n" } } })?.[0]?.kind).toBe("group");
  });
});

describe("what was filled in", () => {
  it("becomes JSON of the right types", () => {
    const texts = {
      "/context/customer": "48211",
      "/context/discount": "0.5",
      "/context/urgent": "true",
      "/context/tags": "new\n\nold\n",
      "/context/address/city": "Lisbon",
      "/context/address/country": '"pt"',
      "/context/a~1b": "7",
    };
    expect(build(texts)).toEqual({
      context: {
        customer: 48211,
        tone: "kind",
        discount: 0.5,
        urgent: true,
        tags: ["new", "old"],
        address: { city: "Lisbon", country: "pt" },
        "a/b": 7,
      },
      errors: {},
    });
  });

  it("is left out where nothing is; what has to be there is sent for the server to judge", () => {
    expect(build({ "/context/tone": "", "/context/urgent": "" }).context).toEqual({ address: {} });
    const optional = fieldsOf({ properties: { a: { type: "string" }, o: { properties: { x: {} }, type: "object" } } });
    expect(toContext(optional ?? [], {}, {})).toBeUndefined();
  });

  it("is refused where no JSON can be made of it", () => {
    const { errors } = build({ "/context/customer": "many", "/context/a~1b": "{" });
    expect(Object.keys(errors).sort()).toEqual(["/context/a~1b", "/context/customer"]);
  });

  it("goes to JSON and back", () => {
    const { context } = build({ "/context/customer": "3", "/context/address/city": "Porto", "/context/tags": "a\nb" });
    const texts = toTexts(fields, context) ?? {};
    expect(toContext(fields, texts, {})).toEqual(context);
    // What was taken out in JSON does not come back as a default.
    const bare = toTexts(fields, { address: {} }) ?? {};
    expect(fields.map((f) => textAt(f, bare)).join("")).toBe("");
    for (const lost of [
      7,
      [],
      { other: 1 },
      { customer: "x" },
      { tags: [1] },
      { address: { street: 1 } },
      { tone: "" },
    ])
      expect(toTexts(fields, lost), JSON.stringify(lost)).toBeNull();
  });

  it("is sent with the task, or the JSON instead of it", () => {
    const form = { ...EMPTY, agent: "a", owner: "o", query: "q", context: '{"x":1}' };
    expect(toBody(form).body.context).toEqual({ x: 1 });
    const texts = { ...form, contextTexts: { "/context/customer": "1" } };
    expect(toBody(texts, fields).body.context).toMatchObject({ customer: 1, tone: "kind" });
    expect(toBody({ ...texts, contextAsJson: true }, fields).body.context).toEqual({ x: 1 });
  });
});

it("what is wrong and has no field is told apart", () => {
  const errors = {
    "/context": "a",
    "/context/other": "b",
    "/context/address": "c",
    "/context/address/street": "d",
    "/context/tags/1": "e",
    "/contextual": "f",
    "/query": "g",
  };
  expect(Object.keys(elsewhere(fields, errors))).toEqual(["/context", "/context/other", "/context/address/street"]);
});
