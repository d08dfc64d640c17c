/* Sockets that are none: a folder, a file, and numbers that are not open. Standard streams are left out: Node.js takes
 * them for sockets and ends by SIGSEGV. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>

int main(void)
{
	char buffer[8];

	open("data", O_RDONLY);
	for (int fd = 3; fd < 7; fd++) {
		recv(fd, buffer, sizeof(buffer), 0);
		send(fd, buffer, 0, 0);
		shutdown(fd, SHUT_RDWR);
		accept(fd, NULL, NULL);
	}
	puts("end");
	return 0;
}
