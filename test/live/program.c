/*
 * See program.h: an ELF file of one segment and a few instructions. Owns no data.
 */
#include "program.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "live.h"

#define LOAD_ADDRESS 0x400000

#if defined(__x86_64__)
#define MACHINE EM_X86_64
/* again: mov $34, %eax (pause); syscall; jmp again */
static const unsigned char code[] = { 0xb8, 0x22, 0, 0, 0, 0x0f, 0x05, 0xeb, 0xf7 };
#elif defined(__aarch64__)
#define MACHINE EM_AARCH64
/* again: x0 … x3 = 0; x8 = 73 (ppoll); svc 0; b again */
static const unsigned char code[] = { 0x00, 0x00, 0x80, 0xd2, 0x01, 0x00, 0x80, 0xd2, 0x02, 0x00,
				      0x80, 0xd2, 0x03, 0x00, 0x80, 0xd2, 0x28, 0x09, 0x80, 0xd2,
				      0x01, 0x00, 0x00, 0xd4, 0xfa, 0xff, 0xff, 0x17 };
#else
#error "no code for this machine"
#endif

struct program {
	Elf64_Ehdr head;
	Elf64_Phdr segment;
	unsigned char code[sizeof(code)];
};

void program_write(int fd)
{
	struct program program = {
		.head = { .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
				       EV_CURRENT },
			  .e_type = ET_EXEC,
			  .e_machine = MACHINE,
			  .e_version = EV_CURRENT,
			  .e_entry = LOAD_ADDRESS + offsetof(struct program, code),
			  .e_phoff = offsetof(struct program, segment),
			  .e_ehsize = sizeof(Elf64_Ehdr),
			  .e_phentsize = sizeof(Elf64_Phdr),
			  .e_phnum = 1 },
		.segment = { .p_type = PT_LOAD,
			     .p_flags = PF_R | PF_X,
			     .p_vaddr = LOAD_ADDRESS,
			     .p_filesz = sizeof(struct program),
			     .p_memsz = sizeof(struct program),
			     .p_align = 4096 },
	};

	memcpy(program.code, code, sizeof(code));
	ACTOR_CHECK(write(fd, &program, sizeof(program)) == sizeof(program));
}

void program_make(const char *path, unsigned mode)
{
	int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0700);

	ACTOR_CHECK(fd >= 0);
	program_write(fd);
	ACTOR_CHECK(fchmod(fd, mode) == 0);
	close(fd);
}
