// A command line for wasm3 0.4.7: wasm3 MODULE.wasm [ARG...]. Links WASI and calls _start.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "wasm3.h"
#include "m3_api_wasi.h"
#include "m3_env.h"

static int fail(const char *what, const char *why)
{
    fprintf(stderr, "wasm3: %s: %s\n", what, why);
    return 1;
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return fail("usage", "wasm3 MODULE.wasm [ARG...]");
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

    IM3Environment env = m3_NewEnvironment();
    IM3Runtime runtime = m3_NewRuntime(env, 1024 * 1024, NULL);
    IM3Module module;
    M3Result err = m3_ParseModule(env, &module, bytes, size);
    if (err) return fail("parse", err);
    if ((err = m3_LoadModule(runtime, module))) return fail("load", err);
    if ((err = m3_LinkWASI(module))) return fail("link", err);
    IM3Function start;
    if ((err = m3_FindFunction(&start, runtime, "_start"))) return fail("_start", err);
    // The arguments that _start is called with are the guest's argv.
    err = m3_CallWithArgs(start, argc - 1, (const char *const *)(argv + 1));
    if (err == m3Err_trapExit)
        return runtime->exit_code;
    return err ? fail("trap", err) : 0;
}
