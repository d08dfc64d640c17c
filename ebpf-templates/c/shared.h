/* What the templates share with user space: each structure has its twin in src/lib.rs. */
#pragma once

/* How a host function gets its arguments and gives its result; ewapa_symbols::abi::Abi in numbers. */
struct abi {
	__u8 args;       /* enum abi_args */
	__u8 args_reg;   /* 0 rdi, 1 rsi, 2 rdx, 3 rcx, 4 r8, 5 r9 */
	__u8 stride;     /* bytes from one cell to the next */
	__u8 errno_at;   /* enum abi_errno */
	__u8 valid;      /* enum abi_valid */
	__u8 memory;     /* enum abi_memory */
	__u8 memory_reg;
	__u8 buffers;    /* enum abi_buffers */
	__u16 memory_off;
	__u16 args_off;
	__u16 memory_more[2]; /* MEMORY_CONTEXT: where its number is in it, and where what is captured points to that;
				 MEMORY_STORE: where an object has its description, and its base */
};
_Static_assert(sizeof(struct abi) == 16, "abi");

enum abi_args { ARGS_UNKNOWN, ARGS_REGISTERS, ARGS_ARRAY, ARGS_INDIRECT, ARGS_CAPTURED };
enum abi_errno { ERRNO_UNKNOWN, ERRNO_RETURN, ERRNO_CELL };
enum abi_valid { VALID_ALWAYS, VALID_NONZERO, VALID_ZERO };
enum abi_memory { MEMORY_UNKNOWN, MEMORY_HOST, MEMORY_REGISTER, MEMORY_INDIRECT, MEMORY_SEARCH, MEMORY_CONTEXT, MEMORY_STORE };

/* What an array of buffers looks like: { u32 address, u32 length }, or { u64 address, u32 length } in 16 bytes. */
enum abi_buffers { BUFFERS_GUEST, BUFFERS_HOST };

/* How many of them the functions of one file may have. */
#define IMAGE_ABIS 4

/* Where a thread of a Go program keeps the goroutine that it works for; ewapa_symbols::Current. Zeros if that is not known. */
struct running {
	__s32 tls;       /* of a pointer to the g that runs, from the base of FS */
	__u16 m;         /* of a pointer to its thread, in a g */
	__u16 curg;      /* of a pointer to the g that a thread works for, in that */
};

/* What the programs on one file know of it: what other files would need is removed by the verifier. */
struct image {
	struct abi abis[IMAGE_ABIS];
	__u8 count;      /* of abis */
	__u8 roles;      /* a bit for each enum role that its probes have */
	__u8 number;     /* which file with MEMORY_SEARCH it is; NO_NUMBER if there were too many */
	__u8 goroutines; /* its functions are Go's, and its programs those for them */
	struct running running;
	__u32 pad2;
};
_Static_assert(sizeof(struct image) == 80, "image");

/* How many files with MEMORY_SEARCH are told apart. */
#define MAX_IMAGES 64
#define NO_NUMBER 0xff

/* The cookie of a probe says all about its site. */
struct cookie {
	__u8 func;       /* index of the WASI function; NO_FUNC for an envelope */
	__u8 role;       /* enum role */
	__u8 fd_arg;     /* index of the descriptor's argument; NO_ARG */
	__u8 moved_arg;  /* index of the argument that says how many bytes moved; NO_ARG; BY_VALUE */
	__u8 abi;        /* index into those of the image */
	__u8 runtime[3]; /* the value of the builtin: catalogue index, then version */
};
_Static_assert(sizeof(struct cookie) == 8, "cookie");

#define NO_FUNC 0xff
#define NO_ARG 0xff
#define BY_VALUE 0x80

enum role { ROLE_CALL, ROLE_ENVELOPE, ROLE_NAME, ROLE_CALIBRATION, ROLE_START, ROLE_END };

/* Something that user space has to look into. The process is stopped until it has. */
struct event {
	__u32 kind;      /* enum event_kind */
	__u32 pid;
	__s32 detail;    /* EVENT_RUNTIME: the value of the builtin; EVENT_FILESYSTEM: the device */
};

/* EVENT_RUNTIME: a process has begun to be a runtime that is known. It is not stopped. EVENT_STOPPED: as
 * EVENT_LIBRARY, and it is stopped where others are not. EVENT_FILESYSTEM: as EVENT_EXEC, and it is stopped where
 * others are held before. */
enum event_kind {
	EVENT_EXEC = 1,
	EVENT_LIBRARY = 2,
	EVENT_EXIT = 3,
	EVENT_RUNTIME = 4,
	EVENT_STOPPED = 5,
	EVENT_FILESYSTEM = 6,
};

/* A file as it is now: its number may be another file's later. */
struct file_key {
	__u64 inode;
	__u64 size;      /* bytes */
	__s64 changed;   /* seconds since 1970 */
	__u32 device;    /* major << 20 | minor */
	__u32 pad;
};

/* Where things are in the kernel's structures, in bytes: what leads from a program or a mapping to its file. */
enum file_offset {
	OFFSET_PROGRAM_FILE,   /* of file in struct linux_binprm */
	OFFSET_VMA_FILE,       /* of vm_file in struct vm_area_struct */
	OFFSET_FILE_INODE,     /* of f_inode in struct file */
	OFFSET_INODE_NUMBER,   /* of i_ino in struct inode */
	OFFSET_INODE_SIZE,     /* of i_size */
	OFFSET_INODE_CHANGED,  /* of the seconds of i_ctime */
	OFFSET_INODE_SUPER,    /* of i_sb */
	OFFSET_SUPER_DEVICE,   /* of s_dev in struct super_block */
	OFFSET_FILE_MODE,      /* of f_mode in struct file */
	OFFSET_BACKING_PATH,   /* of user_path in struct backing_file; 0 if there is none (before Linux 6.5) */
	OFFSET_PATH_ENTRY,     /* of dentry in struct path */
	OFFSET_ENTRY_INODE,    /* of d_inode in struct dentry */
	FILE_OFFSETS,
};

/* What is known of a file; else it is a runtime, and this the value of the builtin. */
enum file_known { FILE_NO_RUNTIME = -1, FILE_UNKNOWN = -2 };

/* A process that is traced. */
struct process {
	__s64 module;    /* the value of the builtin */
	__s64 runtime;   /* the value of the builtin; NONE before user space has found one */
	__u64 quiet;     /* enum quiet */
};

/* Whether what a process does is the script's: not yet, or not at all. QUIET_GOROUTINES: it is, and its system calls
 * are told by the programs for goroutines. */
enum quiet { QUIET_NOT, QUIET_GOROUTINES, QUIET_UNTIL_EXEC, QUIET_ALWAYS };

/* The numbers of the phases; ewapa_lang::plan::Phase. */
enum phase { PHASE_EXEC, PHASE_START, PHASE_FIRST_WASI, PHASE_EXIT };

/* What user space has found in a process: the arguments of the program process_known. */
enum known { KNOWN_PID, KNOWN_RUNTIME, KNOWN_MODULE, KNOWN_RAN_BEFORE, KNOWN_PROBED };

/* How many system calls are counted within each call. */
#define WATCHED 4

/* What went wrong or stayed open, one word each. */
enum counter {
	COUNT_UNMATCHED,    /* a return without its entry, or a name without its call */
	COUNT_ABANDONED,    /* a call that was left without returning: its stack frame is gone */
	COUNT_DEEP,         /* a call nested deeper than MAX_DEPTH */
	COUNT_NO_THREAD,    /* no memory for the record of a thread or of a goroutine */
	COUNT_GROUPS_FULL,  /* a call whose group found no place in its table */
	COUNT_NO_MEMORY,    /* guest memory that could not be read */
	COUNT_NO_EVENT,     /* an event that found no place in the ring buffer */
	COUNT_PROCESSES,    /* a process that found no place among those traced */
	COUNT_ENTRIES,      /* calls and envelopes that were opened */
	COUNT_RETURNS,      /* of those, that were closed, by a return or by the end of their thread */
	COUNT_NO_MESSAGE,   /* a message of the script that found no place in the ring buffer */
	COUNT_BUFFERS,      /* a call with more buffers than are added up */
	COUNT_PATHS,        /* a path that found no place among those of open descriptors */
	COUNT_LIVES,        /* a process whose phases found no place */
	COUNT_STACKS,       /* a stack that found no place: another one has it */
	COUNT_HANDED,       /* a system call of a thread that worked for a call, booked to it */
	COUNT_NO_HANDED,    /* work that was handed over and found no place in the records of that */
	COUNT_UNBOOKED,     /* a system call of such a thread behind its answer, of which nothing tells for whom it was */
	COUNT_MOVED,        /* a call that ended on another thread, of which the script reads what cannot be told then */
	COUNTERS,
};
