/* What is known of files, where every process of the machine is traced: one whose files are all known needs
 * no look. */
#pragma once

const volatile __u32 file_offsets[FILE_OFFSETS]; /* all 0 if the kernel does not tell them: then nothing is known */

/* Filled by user space. Below zero: enum file_known. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct file_key);
	__type(value, __s32);
} files SEC(".maps");

/* The libraries of a process are looked at up to this number. */
#define MAX_LIBRARIES 256

/* What is known of a struct file. */
__noinline int file_runtime(__u64 file)
{
	struct file_key key = {};
	__u64 inode = 0, super = 0;
	__s32 *known;

	if (!file_offsets[OFFSET_PROGRAM_FILE])
		return FILE_UNKNOWN;
	bpf_probe_read_kernel(&inode, sizeof(inode), (void *)(file + file_offsets[OFFSET_FILE_INODE]));
	bpf_probe_read_kernel(&key.inode, sizeof(key.inode), (void *)(inode + file_offsets[OFFSET_INODE_NUMBER]));
	bpf_probe_read_kernel(&key.size, sizeof(key.size), (void *)(inode + file_offsets[OFFSET_INODE_SIZE]));
	bpf_probe_read_kernel(&key.changed, sizeof(key.changed), (void *)(inode + file_offsets[OFFSET_INODE_CHANGED]));
	bpf_probe_read_kernel(&super, sizeof(super), (void *)(inode + file_offsets[OFFSET_INODE_SUPER]));
	bpf_probe_read_kernel(&key.device, sizeof(key.device), (void *)(super + file_offsets[OFFSET_SUPER_DEVICE]));
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
};

struct library {
	__u64 bias;
	__u64 name;
	__u64 dynamic;   /* the address of its dynamic section */
	__u64 next;
};

struct walk {
	__u64 next;      /* the address of the next library; 0 behind the last */
	__s32 found;     /* what is known so far: FILE_UNKNOWN if that is so of any */
	__u32 pad;
};

/* Goes on to the next library. Returns 1 at the end. */
static long walk_library(__u32 index, struct walk *walk)
{
	struct library library;
	int known;

	(void)index;
	if (!walk->next)
		return 1;
	if (bpf_probe_read_user(&library, sizeof(library), (void *)walk->next)) {
		walk->found = FILE_UNKNOWN;
		return 1;
	}
	known = mapped_runtime(library.dynamic);
	if (known != FILE_NO_RUNTIME)
		walk->found = known;
	walk->next = library.next;
	return known == FILE_UNKNOWN;
}

/* What is known of the libraries of the current process: FILE_UNKNOWN if that is so of any. */
static __always_inline int libraries_runtime(__u64 address)
{
	struct linker_state state = {};
	struct walk walk = { .found = FILE_NO_RUNTIME };

	/* Above 1 there are lists besides this one. */
	if (bpf_probe_read_user(&state, sizeof(state), (void *)address) || state.version != 1)
		return FILE_UNKNOWN;
	walk.next = state.libraries;
	if (bpf_loop(MAX_LIBRARIES, walk_library, &walk, 0) < 0 || walk.next)
		return FILE_UNKNOWN;
	return walk.found;
}
