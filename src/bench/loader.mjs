// Runs a WASI module on Node.js: node loader.mjs DIR MODULE.wasm [ARG...]. DIR is the guest's descriptor 3.
import { readFile } from 'node:fs/promises';
import { WASI } from 'node:wasi';

const [dir, path, ...args] = process.argv.slice(2);
const wasi = new WASI({ version: 'preview1', args: [path, ...args], preopens: { [dir]: dir } });
const module = await WebAssembly.compile(await readFile(path));
const instance = await WebAssembly.instantiate(module, wasi.getImportObject());
process.exitCode = wasi.start(instance);
