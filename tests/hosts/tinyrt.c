/* An invented runtime with three WASI functions, in the way of calling that docs/RUNTIMES.md describes under
 * "Write your own": fn(instance, cells), where the cells of 8 bytes hold the arguments and take the errno. With
 * an argument its standard output has no buffer: each byte is written by itself. */
#include <stdint.h>
#include <unistd.h>

struct memory {
	uint8_t *base;
	uint64_t length;
};

struct instance {
	const char *name;
	struct memory *memory;
};

static int piecewise;
static uint8_t bytes[256];
static struct memory memory = { bytes, sizeof(bytes) };

__attribute__((noinline)) void tinyrt_hostcall_fd_write(struct instance *instance, uint64_t *cells)
{
	uint32_t *buffer = (uint32_t *)(instance->memory->base + cells[1]);
	uint8_t *from = instance->memory->base + buffer[0];
	uint32_t step = piecewise ? 1 : buffer[1];
	ssize_t written = 0;

	for (uint32_t at = 0; at < buffer[1] && written >= 0; at += step)
		written = write((int)cells[0], from + at, step) < 0 ? -1 : (ssize_t)(at + step);

	if (written >= 0)
		*(uint32_t *)(instance->memory->base + cells[3]) = (uint32_t)written;
	cells[0] = written < 0 ? 8 : 0;
}

__attribute__((noinline)) void tinyrt_hostcall_fd_close(struct instance *instance, uint64_t *cells)
{
	(void)instance;
	cells[0] = close((int)cells[0]) ? 8 : 0;
}

__attribute__((noinline)) void tinyrt_hostcall_sched_yield(struct instance *instance, uint64_t *cells)
{
	(void)instance;
	cells[0] = usleep(1) ? 8 : 0;
}

__attribute__((noinline)) void tinyrt_start(struct instance *instance)
{
	uint64_t cells[4];

	((uint32_t *)bytes)[0] = 16; /* where the bytes are */
	((uint32_t *)bytes)[1] = 5;  /* how many */
	for (int i = 0; i < 7; i++) {
		cells[0] = 1;
		cells[1] = 0;
		cells[2] = 1;
		cells[3] = 8;
		tinyrt_hostcall_fd_write(instance, cells);
	}
	for (int i = 0; i < 3; i++) {
		cells[0] = 99; /* not open: errno 8 */
		tinyrt_hostcall_fd_close(instance, cells);
	}
	tinyrt_hostcall_sched_yield(instance, cells);
}

int main(int argc, char **argv)
{
	struct instance instance = { "tinyrt 1.2.3", &memory };

	(void)argv;
	piecewise = argc > 1;
	for (int i = 0; i < 5; i++)
		bytes[16 + i] = 'x';
	tinyrt_start(&instance);
	return 0;
}
