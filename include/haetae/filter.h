/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel filter: what the rules leave of each event type, as engine/match/pushdown.c makes it,
 * probes/filters.c installs it and probes/bpf/filter.h asks it. Included by BPF programs (after
 * kernel.h, which brings the __u types) and by user space.
 *
 * An event type has up to 64 clauses, one a bit. An event passes where at least one of them may
 * hold. Each fact that the kernel knows of an event leaves a mask of clauses that are still
 * possible; what no fact excludes passes. So every mask may have bits too many, never too few.
 */
#ifndef HAETAE_FILTER_H
#define HAETAE_FILTER_H

#include "haetae/wire.h"

#define FILTER_CLAUSES	 64
#define FILTER_ALL	 (~0ull)
#define FILTER_ARGUMENTS 2 /* of a call that clauses can ask for */
#define FILTER_BITS	 8 /* kinds of bits of one more, such as O_TRUNC of the flags */
#define FILTER_NAME_BYTES \
	64 /* of a path's part, its NUL included; longer ones are never asked for */
#define FILTER_NONE 0xff
/* A path of fewer names is recorded whole, whatever else is in the record: with 256 bytes a name it
 * ends before the last names would be kept apart (probes/bpf/path.h). */
#define FILTER_SHALLOW 24

/* What the daemon has the kernel do with an event that no clause lets pass. */
enum filter_mode {
	FILTER_OFF,   /* every event passes unasked */
	FILTER_ON,    /* it ends there, counted as filtered[WIRE_FILTER_RULES] */
	FILTER_CHECK, /* it passes, marked WIRE_UNWANTED: a rule that matches it proves a mistake */
};

/* How a call opens a file, from its flags: O_RDONLY is 0, O_WRONLY 1, O_RDWR 2
 * (include/uapi/asm-generic/fcntl.h); 3 is neither. */
#define FILTER_READS	1u
#define FILTER_WRITES	2u
#define FILTER_ACCESSES 4

enum filter_dimension {
	FILTER_UID,
	FILTER_FAMILY,	 /* of a socket's ends: wire_tuple's */
	FILTER_PORT,	 /* of either end */
	FILTER_ARGUMENT, /* the first of FILTER_ARGUMENTS */
};

/* How an argument is the event's parameter. */
enum filter_width {
	FILTER_U32,
	FILTER_S32,
	FILTER_U64,
};

/* Of a path its last name, that name's first or last bytes, and the first one or two names below
 * the root, as "etc", "etc/ssh". */
enum filter_part {
	FILTER_BASE,
	FILTER_HEAD,
	FILTER_TAIL,
	FILTER_PARENT,
	FILTER_TOP,
	FILTER_PART__COUNT
};
#define FILTER_END_BYTES 3 /* of a head or tail */

struct filter_type {
	__u64 result[2];			   /* of a call that failed; that succeeded */
	__u64 access[FILTER_ACCESSES];		   /* FILTER_READS | FILTER_WRITES */
	__u64 uid_else, comm_else, comm_head_else; /* of values that the maps don't have */
	__u64 argument_else[FILTER_ARGUMENTS];
	/* Clauses that ask for it: the others need no look at it. */
	__u64 by_uid, by_comm, by_comm_head, by_argument[FILTER_ARGUMENTS];
	__u64 by_path;			   /* for a path at all */
	__u64 by_part[FILTER_PART__COUNT]; /* for such parts of one */
	__u64 by_depth;			   /* for a path too deep to be recorded */
	__u64 family_else, by_family, by_port, by_address;
	__u64 by_socket; /* for any of these three */
	/* An argument that has one of these bits leaves those clauses possible. */
	__u64 bits[FILTER_BITS], bits_mask[FILTER_BITS], by_bits;
	__u8 is_active;	      /* 0: all pass */
	__u8 access_argument; /* number of the call's argument, or FILTER_NONE */
	/* The same: the text, and the descriptor that it starts from. */
	__u8 name_argument, directory_argument;
	__u8 argument[FILTER_ARGUMENTS], width[FILTER_ARGUMENTS];
	__u8 parameter[FILTER_ARGUMENTS]; /* of the record: what the argument is there */
	__u8 bits_argument, bits_parameter;
	/* Parameters of the record: text, where it starts, what it is; the ends of a socket. */
	__u8 name, directory, path, tuple;
};

struct filter_number_key {
	__u16 type, dimension;
	__u32 reserved;
	__u64 value;
};

/* The thread's name, or its first FILTER_END_BYTES alone. */
#define FILTER_COMM_HEAD (1u << 16)
struct filter_comm_key {
	__u32 type;		  /* of the event; | FILTER_COMM_HEAD */
	char comm[WIRE_COMM_LEN]; /* NUL-padded */
};

/* A network that an end of the socket is in; of several the narrowest is found, so its mask has the
 * clauses of those around it, too. Laid out as struct bpf_lpm_trie_key. */
#define FILTER_NET_BITS 32 /* of the members before the address */
struct filter_address_key {
	__u32 prefix_bits; /* behind this member */
	__u16 type, family;
	__u8 address[16]; /* network order; of AF_INET the first four */
};

struct filter_name_key {
	__u16 type, part;
	char text[FILTER_NAME_BYTES]; /* NUL-padded */
};

#endif
