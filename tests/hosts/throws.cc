// A host whose fd_write looks like that of wasm3 0.4. `throws within`: an exception is thrown and caught below it.
// `throws through`: one leaves it.
#include <cstdint>
#include <cstring>

extern "C" __attribute__((noinline)) const void *m3_wasi_unstable_fd_write(const char *way, uint64_t *cells, uint8_t *)
{
	cells[0] = 0;
	if (!std::strcmp(way, "through"))
		throw 1;
	try {
		throw 1;
	} catch (int) {
	}
	return nullptr;
}

int main(int, char **argv)
{
	for (int i = 0; i < 5; i++) {
		uint64_t cells[4] = {1};
		try {
			m3_wasi_unstable_fd_write(argv[1], cells, nullptr);
		} catch (int) {
		}
	}
}
