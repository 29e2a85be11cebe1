import { Ajv } from "ajv";
import { expect, test } from "vitest";
import { library } from "./index.ts";

test.each(Array.from(library))(
  "the parameters of %s are a JSON Schema, and each has a description and a source for its default",
  (_, { params }) => {
    const ajv = new Ajv({ strict: false });
    expect(ajv.validateSchema(params), ajv.errorsText()).toBe(true);
    for (const [name, schema] of Object.entries(params.properties)) {
      expect(schema.description, name).toMatch(/\S/);
      if (schema.default !== undefined) expect(schema["x-source"], name).toMatch(/\S/);
    }
  },
);
