"""Runs a WASI module on libwasmtime: python3 run.py [--threads N] DIR MODULE.wasm [ARG...].

DIR is the guest's descriptor 3. With --threads the module runs once in each of N threads at the same time.
"""
import sys
import threading

from wasmtime import Engine, ExitTrap, Linker, Module, Store, WasiConfig

arguments = sys.argv[1:]
threads = 1
if arguments[0] == "--threads":
    threads = int(arguments[1])
    arguments = arguments[2:]
directory, path = arguments[:2]

engine = Engine()
module = Module.from_file(engine, path)
codes = []


def run():
    config = WasiConfig()
    config.argv = arguments[1:]
    config.inherit_stdin()
    config.inherit_stdout()
    config.inherit_stderr()
    config.preopen_dir(directory, "/data")
    store = Store(engine)
    store.set_wasi(config)
    linker = Linker(engine)
    linker.define_wasi()
    instance = linker.instantiate(store, module)
    code = 0
    try:
        instance.exports(store)["_start"](store)
    except ExitTrap as exit:
        code = exit.code
    except Exception as error:
        print(error, file=sys.stderr)
        code = 134
    codes.append(code)


if threads == 1:
    run()
else:
    running = [threading.Thread(target=run) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
sys.exit(max(codes))
