import type { CodegenConfig } from "@graphql-codegen/cli";

const config: CodegenConfig = {
  schema: "../../../schema.graphql",
  documents: "src/**/*.ts",
  ignoreNoDocuments: true,
  generates: {
    "./src/gql/": {
      preset: "client",
      presetConfig: { persistedDocuments: { hashAlgorithm: "sha256" } },
      config: {
        // Coins and BigInt are strings on purpose: JavaScript's numbers lose digits above 2^53.
        scalars: {
          BigInt: "string",
          Coins: { input: "string | number", output: "string" },
          CurrencyCode: "string",
          DateTime: "string",
          IdempotencyKey: "string",
        },
        strictScalars: true,
        enumsAsTypes: true,
        useTypeImports: true,
      },
    },
  },
};

export default config;
