/* Loads wasm3 as a library and has it run a module:
 *
 *   plugin LIBRARY MODULE dlopen N     loads it, runs the module and unloads it, N times
 *   plugin LIBRARY MODULE dlmopen N    the same, in a namespace of its own
 *   plugin LIBRARY MODULE threads N    N threads load it and run the module, one begins after the other
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *library, *module, *way;

static void run(void)
{
	char *arguments[] = { "wasm3", (char *)module, NULL };
	int (*wasm3_main)(int, char **);
	void *loaded;

#ifdef LM_ID_NEWLM
	if (!strcmp(way, "dlmopen"))
		loaded = dlmopen(LM_ID_NEWLM, library, RTLD_NOW);
	else
#endif
		loaded = dlopen(library, RTLD_NOW);
	if (!loaded) {
		fprintf(stderr, "%s\n", dlerror());
		exit(1);
	}
	wasm3_main = (int (*)(int, char **))dlsym(loaded, "wasm3_main");
	if (wasm3_main(2, arguments))
		exit(1);
	dlclose(loaded);
}

static void *thread(void *unused)
{
	run();
	return unused;
}

int main(int argc, char **argv)
{
	pthread_t threads[16];
	int count;

	if (argc != 5)
		return 2;
	library = argv[1];
	module = argv[2];
	way = argv[3];
	count = atoi(argv[4]);
	if (strcmp(way, "threads")) {
		for (int i = 0; i < count; i++)
			run();
		return 0;
	}
	if (count > 16)
		return 2;
	for (int i = 0; i < count; i++)
		pthread_create(&threads[i], NULL, thread, NULL);
	for (int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
