/* A program to be probed: a function with known arguments and results, system calls, and static probes with
 * and without a semaphore, as sys/sdt.h makes them. */
#include <unistd.h>

#define STATIC_PROBE(name, semaphore, first, second)                                               \
	__asm__ volatile("990:	nop\n"                                                              \
			 "	.pushsection .note.stapsdt, \"\", \"note\"\n"                       \
			 "	.balign 4\n"                                                        \
			 "	.4byte 992f - 991f, 994f - 993f, 3\n"                               \
			 "991:	.asciz \"stapsdt\"\n"                                               \
			 "992:	.balign 4\n"                                                        \
			 "993:	.8byte 990b\n"                                                      \
			 "	.8byte _.stapsdt.base\n"                                            \
			 "	.8byte " semaphore "\n"                                             \
			 "	.asciz \"probed\"\n"                                                \
			 "	.asciz \"" name "\"\n"                                              \
			 "	.asciz \"8@%0 -4@%1\"\n"                                            \
			 "994:	.balign 4\n"                                                        \
			 "	.popsection\n"                                                      \
			 "	.ifndef _.stapsdt.base\n"                                           \
			 "	.pushsection .stapsdt.base, \"aG\", \"progbits\", .stapsdt.base, comdat\n" \
			 "	.weak _.stapsdt.base\n"                                             \
			 "	.hidden _.stapsdt.base\n"                                           \
			 "_.stapsdt.base: .space 1\n"                                               \
			 "	.size _.stapsdt.base, 1\n"                                          \
			 "	.popsection\n"                                                      \
			 "	.endif\n"                                                           \
			 :                                                                          \
			 : "r"((unsigned long)(first)), "r"((int)(second)))

__attribute__((section(".probes"))) volatile unsigned short probed_guarded_semaphore;

__attribute__((noinline)) long work(long kind, unsigned long size)
{
	STATIC_PROBE("item", "0", size, -kind);
	if (probed_guarded_semaphore)
		STATIC_PROBE("guarded", "probed_guarded_semaphore", kind, 7);
	return kind == 3 ? -1 : (long)size * 2;
}

int main(int argc, char **argv)
{
	static const char text[300];
	volatile long sum = 0;

	(void)argv;
	/* With an argument it goes on until it is ended. */
	do {
		for (long kind = 1; kind <= 4; kind++)
			for (long i = 0; i < 10 * kind; i++)
				sum += work(kind, 1ul << (i % 12));
	} while (argc > 1 && !usleep(1000));
	for (unsigned long size = 1; size <= sizeof(text); size += 7)
		if (write(3, text, size) == 12345)
			return 1;
	return 0;
}
