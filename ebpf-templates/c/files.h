/* What is known of files, where every process of the machine is traced: one whose files are all known needs
 * no look. */
#pragma once

const volatile __u32 file_offsets[FILE_OFFSETS]; /* all 0 if the kernel does not tell them: then nothing is known */

/* A process with a new library that has a runtime's name is stopped, and one with a program that could not be held. */
const volatile __u8 holds_libraries;

/* Processes that are stopped for their libraries, until user space lets them go. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, __u32);
} held SEC(".maps");

/* The devices of filesystems whose programs user space holds before they are executed, or leaves alone; and 0 once
 * they are all there. Keys as in struct file_key. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, __u32);
} filesystems SEC(".maps");

/* Filled by user space. Below zero: enum file_known. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct file_key);
	__type(value, __s32);
} files SEC(".maps");

/* The libraries of a process are looked at up to this number. */
#define MAX_LIBRARIES 256

/* FMODE_BACKING of the kernel: the file of a layer, which an overlay has opened for one of its own. */
#define IS_BACKING (1u << 25)

/* The inode of a struct file, as people and /proc/PID/maps know it: a mapping of a file of an overlay has that of
 * the layer (file_user_inode of the kernel). */
static __always_inline __u64 inode_of(__u64 file)
{
	__u64 inode = 0, entry = 0;
	__u32 mode = 0;

	bpf_probe_read_kernel(&mode, sizeof(mode), (void *)(file + file_offsets[OFFSET_FILE_MODE]));
	if (file_offsets[OFFSET_BACKING_PATH] && mode & IS_BACKING) {
		__u64 path = file + file_offsets[OFFSET_BACKING_PATH];

		bpf_probe_read_kernel(&entry, sizeof(entry), (void *)(path + file_offsets[OFFSET_PATH_ENTRY]));
		bpf_probe_read_kernel(&inode, sizeof(inode), (void *)(entry + file_offsets[OFFSET_ENTRY_INODE]));
	} else {
		bpf_probe_read_kernel(&inode, sizeof(inode), (void *)(file + file_offsets[OFFSET_FILE_INODE]));
	}
	return inode;
}

static __always_inline __u32 device_of(__u64 inode)
{
	__u64 super = 0;
	__u32 device = 0;

	bpf_probe_read_kernel(&super, sizeof(super), (void *)(inode + file_offsets[OFFSET_INODE_SUPER]));
	bpf_probe_read_kernel(&device, sizeof(device), (void *)(super + file_offsets[OFFSET_SUPER_DEVICE]));
	return device;
}

/* What is known of a struct file. */
__noinline int file_runtime(__u64 file)
{
	struct file_key key = {};
	__u64 inode;
	__s32 *known;

	if (!file_offsets[OFFSET_PROGRAM_FILE])
		return FILE_UNKNOWN;
	inode = inode_of(file);
	bpf_probe_read_kernel(&key.inode, sizeof(key.inode), (void *)(inode + file_offsets[OFFSET_INODE_NUMBER]));
	bpf_probe_read_kernel(&key.size, sizeof(key.size), (void *)(inode + file_offsets[OFFSET_INODE_SIZE]));
	bpf_probe_read_kernel(&key.changed, sizeof(key.changed), (void *)(inode + file_offsets[OFFSET_INODE_CHANGED]));
	key.device = device_of(inode);
	known = bpf_map_lookup_elem(&files, &key);
	return known ? *known : FILE_UNKNOWN;
}

/* What is known of a program that is executed: a struct linux_binprm. */
static __always_inline int program_runtime(__u64 program)
{
	__u64 file = 0;

	if (bpf_probe_read_kernel(&file, sizeof(file), (void *)(program + file_offsets[OFFSET_PROGRAM_FILE])))
		return FILE_UNKNOWN;
	return file_runtime(file);
}

/* The device of a program that is executed, if user space could not hold it; else 0. */
static __always_inline __u32 unheld_device(__u64 program)
{
	__u64 file = 0;
	__u32 device, ready = 0;

	if (!holds_libraries || !file_offsets[OFFSET_PROGRAM_FILE] ||
	    !bpf_map_lookup_elem(&filesystems, &ready))
		return 0;
	bpf_probe_read_kernel(&file, sizeof(file), (void *)(program + file_offsets[OFFSET_PROGRAM_FILE]));
	device = device_of(inode_of(file));
	return bpf_map_lookup_elem(&filesystems, &device) ? 0 : device;
}

static long take_file(struct task_struct *task, void *vma, __u64 *file)
{
	(void)task;
	bpf_probe_read_kernel(file, sizeof(*file), vma + file_offsets[OFFSET_VMA_FILE]);
	return 0;
}

/* What is known of the file that the current process has mapped at an address. */
__noinline int mapped_runtime(__u64 address)
{
	__u64 file = 0;

	if (bpf_find_vma(bpf_get_current_task_btf(), address, take_file, &file, 0))
		return FILE_UNKNOWN;
	/* The kernel's own part of a process is no file. */
	return file ? file_runtime(file) : FILE_NO_RUNTIME;
}

/* What the dynamic linker tells debuggers (link.h). */
struct linker_state {
	__s32 version;
	__u32 pad;
	__u64 libraries; /* struct library, the first */
	__u64 hook;
	__u64 state;
	__u64 linker;
	__u64 next;      /* struct linker_state of the libraries that dlmopen(3) keeps apart; from version 2 on */
};

struct library {
	__u64 bias;
	__u64 name;
	__u64 dynamic;   /* the address of its dynamic section */
	__u64 next;
};

#define FOUR(a, b, c, d) ((__u32)(a) | (__u32)(b) << 8 | (__u32)(c) << 16 | (__u32)(d) << 24)

/* Whether the name of a library, a text at this address, is that of a runtime as they are known: only for
 * these a process is stopped. */
__noinline int is_named_like_a_runtime(__u64 address)
{
	char name[208] = {};
	__u32 last = 0;

	bpf_probe_read_user_str(name, sizeof(name), (void *)address);
	for (int i = 0; i < (int)sizeof(name); i++) {
		last = last >> 8 | (__u32)(__u8)name[i] << 24;
		if (last == FOUR('w', 'a', 's', 'm') || last == FOUR('i', 'w', 'a', 's') ||
		    last == FOUR('n', 'o', 'd', 'e'))
			return 1;
	}
	return 0;
}

struct walk {
	__u64 next;      /* the address of the next library; 0 behind the last */
	__u64 apart;     /* the address of the next struct linker_state; 0 behind the last */
	__s32 found;     /* the runtime, or FILE_NO_RUNTIME */
	__u8 unknown;    /* a file is not known */
	__u8 holds;      /* and has the name of a runtime */
	__u8 changes;    /* a list of libraries is not whole */
	__u8 pad;
};

/* Begins with the libraries of a struct linker_state. */
static __always_inline void walk_state(struct walk *walk, __u64 address)
{
	struct linker_state state = {};

	if (bpf_probe_read_user(&state, __builtin_offsetof(struct linker_state, next), (void *)address) ||
	    state.version < 1)
		walk->unknown = 1;
	walk->next = state.libraries;
	walk->apart = 0;
	if ((__u32)state.state)
		walk->changes = 1;
	if (state.version > 1)
		bpf_probe_read_user(&walk->apart, sizeof(walk->apart),
				    (void *)(address + __builtin_offsetof(struct linker_state, next)));
}

/* Goes on to the next library. Returns 1 at the end. */
static long walk_library(__u32 index, struct walk *walk)
{
	struct library library;
	int known;

	(void)index;
	if (!walk->next && walk->apart)
		walk_state(walk, walk->apart);
	if (!walk->next)
		return 1;
	if (bpf_probe_read_user(&library, sizeof(library), (void *)walk->next)) {
		walk->unknown = 1;
		return 1;
	}
	known = mapped_runtime(library.dynamic);
	if (known == FILE_UNKNOWN) {
		walk->unknown = 1;
		if (holds_libraries && !walk->holds)
			walk->holds = is_named_like_a_runtime(library.name);
	} else if (known != FILE_NO_RUNTIME) {
		walk->found = known;
	}
	walk->next = library.next;
	return 0;
}

/* What is known of the libraries of the current process. */
static __always_inline void walk_libraries(__u64 address, struct walk *walk)
{
	walk_state(walk, address);
	if (bpf_loop(MAX_LIBRARIES, walk_library, walk, 0) < 0 || walk->next)
		walk->unknown = 1;
}
