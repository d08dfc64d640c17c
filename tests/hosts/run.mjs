// Runs a WASI module on Node.js: node run.mjs DIR MODULE.wasm [ARG...]. DIR is the guest's descriptor 3.
import { readFile } from 'node:fs/promises';
import { WASI } from 'node:wasi';

const [dir, path, ...args] = process.argv.slice(2);
const module = await WebAssembly.compile(await readFile(path));
const isOld = WebAssembly.Module.imports(module).some((entry) => entry.module === 'wasi_unstable');
const version = isOld ? 'unstable' : 'preview1';
const wasi = new WASI({ version, args: [path, ...args], preopens: { '/data': dir } });
const instance = await WebAssembly.instantiate(module, wasi.getImportObject());
process.exitCode = wasi.start(instance);
