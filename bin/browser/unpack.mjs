// Unpack the packaged Chromium beside this file, with the libraries that a bare machine lacks.
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const folder = dirname(fileURLToPath(import.meta.url));
const parts = join(folder, "parts");
mkdirSync(parts, { recursive: true });
// The package unpacks into the temporary folder, and its libraries only where it believes to be
// on the bare machine that it was made for.
process.env.TMPDIR = parts;
process.env.AWS_LAMBDA_JS_RUNTIME = "nodejs22.x";
const { default: chromium } = await import("@sparticuz/chromium");
const program = await chromium.executablePath();

const wrapper = join(folder, "chromium");
const lines = [
  "#!/bin/sh",
  `LD_LIBRARY_PATH='${join(parts, "al2023", "lib")}' exec '${program}' "$@"`,
  "",
];
writeFileSync(wrapper, lines.join("\n"));
chmodSync(wrapper, 0o755);
