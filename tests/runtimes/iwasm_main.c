// A command line for WAMR 2.4.3, whose source in the crate comes without its own: iwasm --dir=DIR MODULE.wasm
// [ARG...]. DIR is the guest's descriptor 3.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "wasm_export.h"

static int fail(const char *what, const char *why)
{
    fprintf(stderr, "iwasm: %s: %s\n", what, why);
    return 1;
}

int main(int argc, char **argv)
{
    const char *directory = NULL;
    char error[256];
    if (argc > 1 && !strncmp(argv[1], "--dir=", 6)) {
        directory = argv[1] + 6;
        argv++;
        argc--;
    }
    if (argc < 2)
        return fail("usage", "iwasm [--dir=DIR] MODULE.wasm [ARG...]");
    FILE *file = fopen(argv[1], "rb");
    if (!file)
        return fail("cannot open", argv[1]);
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    unsigned char *bytes = malloc(size);
    if (fread(bytes, 1, size, file) != (size_t)size)
        return fail("cannot read", argv[1]);
    fclose(file);

    if (!wasm_runtime_init())
        return fail("cannot begin", argv[1]);
    wasm_module_t module = wasm_runtime_load(bytes, (uint32_t)size, error, sizeof(error));
    if (!module)
        return fail("load", error);
    wasm_runtime_set_wasi_args(module, &directory, directory ? 1 : 0, NULL, 0, NULL, 0, argv + 1, argc - 1);
    wasm_module_inst_t instance = wasm_runtime_instantiate(module, 1024 * 1024, 0, error, sizeof(error));
    if (!instance)
        return fail("instantiate", error);
    if (!wasm_application_execute_main(instance, 0, NULL))
        return fail("trap", wasm_runtime_get_exception(instance));
    return (int)wasm_runtime_get_wasi_exit_code(instance);
}
