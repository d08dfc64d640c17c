// What a program in AssemblyScript does by its WASI shim: texts to both outputs, arguments, environment, clocks, numbers
// by chance, and what it reads.
console.log("arguments: " + process.argv.length.toString());
console.error("environment: " + process.env.size.toString());
const bytes = new Uint8Array(48);
crypto.getRandomValues(bytes);
const begun = performance.now();
let sum: i64 = 0;
for (let i = 0; i < 40; i++) {
  sum += Date.now() & 1;
  process.stdout.write(sum >= 0 ? "." : "-");
}
const buffer = new ArrayBuffer(100);
console.log((process.stdin.read(buffer) >= 0).toString());
console.log((performance.now() >= begun).toString());
console.log(Math.random() < 1.0 ? "below" : "above");
process.exit(0);
