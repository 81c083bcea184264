/*
 * Preloaded into programs under qemu-user: an arm64 program that they start runs under qemu-user,
 * too, without asking the machine's kernel to know of it (binfmt_misc). Criterion starts itself
 * once a test. The emulator's path and its root are in HAETAE_EMULATOR and HAETAE_EMULATOR_ROOT.
 * Any thread.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ARGUMENTS_MAX 64

static bool is_arm64(const char *path)
{
	Elf64_Ehdr header = { 0 };
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	ssize_t bytes = read(fd, &header, sizeof(header));
	close(fd);
	return bytes == (ssize_t)sizeof(header) && !memcmp(header.e_ident, ELFMAG, SELFMAG) &&
	       header.e_machine == EM_AARCH64;
}

int execve(const char *path, char *const arguments[], char *const environment[])
{
	const char *emulator = getenv("HAETAE_EMULATOR"), *root = getenv("HAETAE_EMULATOR_ROOT");
	const char *emulated[ARGUMENTS_MAX + 6] = {
		emulator, "-L", root, "-0", arguments[0], path
	};
	size_t i;

	if (!emulator || !root || !is_arm64(path))
		return (int)syscall(SYS_execve, path, arguments, environment);
	for (i = 1; arguments[0] && arguments[i]; i++) {
		if (i == ARGUMENTS_MAX) {
			errno = E2BIG;
			return -1;
		}
		emulated[i + 5] = arguments[i];
	}
	return (int)syscall(SYS_execve, emulator, emulated, environment);
}
