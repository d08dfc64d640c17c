/* A host whose function begins with a prefix under which the kernel refuses a probe (`is_prefix_bad` in
 * arch/x86/kernel/uprobes.c). It writes a byte when it runs, and calls its function when it is written to. */
#include <unistd.h>

__attribute__((naked)) unsigned short wasi_fd_write(void)
{
	__asm__(".byte 0x2e, 0x90\n\txor %eax, %eax\n\tret");
}

int main(void)
{
	char byte = '.';

	write(1, &byte, 1);
	read(0, &byte, 1);
	return wasi_fd_write();
}
