/* What most programs do, with the functions that every runtime has: arguments, standard streams, a file, a clock. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int main(int argc, char **argv)
{
	char line[64];
	FILE *file = fopen("data", "r");
	struct timespec now;

	for (int i = 0; i < argc; i++)
		printf("argument %d has %zu bytes\n", i, strlen(argv[i]));
	if (file) {
		while (fgets(line, sizeof(line), file))
			fputs(line, stdout);
		fseek(file, 2, SEEK_SET);
		while (fread(line, 1, 3, file))
			;
		fclose(file);
	}
	fopen("nothing", "r");
	clock_gettime(CLOCK_MONOTONIC, &now);
	clock_getres(CLOCK_MONOTONIC, &now);
	setvbuf(stdout, NULL, _IONBF, 0);
	for (int i = 0; i < 20; i++)
		printf("unbuffered line %d\n", i);
	while (fgets(line, sizeof(line), stdin))
		fputs(line, stdout);
	exit(argc);
}
