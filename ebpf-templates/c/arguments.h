/* What the guest passed: the arguments of a call, the buffers and the path that they lead to, and the
 * paths by which open descriptors were opened. */
#pragma once

/* The bytes of a path, the 0 behind it counted, and the most buffers that are added up. */
#define PATH_LEN sizeof(((struct call *)0)->path)
#define MAX_BUFFERS 64

#define READS_ARGUMENTS (0x1ffull * READS_ARG0)
_Static_assert(READS_ARG8 == READS_ARG0 << 8, "the arguments are neighbours");

/* What is told of the arguments of a call beyond the descriptor and the bytes moved. */
#define READS_DESCRIPTION (READS_ARGUMENTS | READS_IOVS | READS_BYTES_REQ | READS_PATH)

/* The arguments of a WASI function, by their index. */
struct signature {
	__u8 count;
	__u8 fd;        /* the descriptor; NO_ARG */
	__u8 path;      /* the path that it reads, whose length follows; NO_ARG */
	__u8 buffers;   /* the array of buffers, whose length follows; NO_ARG */
	__u8 length;    /* the length of its only buffer; NO_ARG */
	__u16 wide;     /* a bit for each argument of 64 bits */
	__u16 pointers; /* a bit for each that is an address */
};

static const struct signature signatures[FUNCTIONS] = { SIGNATURES };

struct descriptor {
	__u32 pid;
	__u32 fd;
};

struct path {
	char text[PATH_LEN];
};

/* The paths of open descriptors. User space forgets those of a process that has ended. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct descriptor);
	__type(value, struct path);
} paths SEC(".maps");

/* The address in the process of what the guest calls `pointer`; 0 if that cannot be told. */
static __always_inline __u64 guest_address(const volatile struct abi *abi, struct open_call *open, __u64 pointer)
{
	switch (abi->memory) {
	case MEMORY_HOST:
		return pointer;
	case MEMORY_REGISTER:
		return open->memory + (__u32)pointer;
	case MEMORY_INDIRECT:
		return read_u64(read_u64(open->memory + abi->memory_off)) + (__u32)pointer;
	case MEMORY_CONTEXT:
		return open->memory ? read_u64(read_u64(open->memory + abi->memory_off)) + (__u32)pointer : 0;
	case MEMORY_SEARCH:
	case MEMORY_STORE:
		return open->memory ? read_u64(open->memory + 8) + (__u32)pointer : 0;
	default:
		return 0;
	}
}

/* Whether a call's arguments lead to guest memory that the script wants to know of. */
static __always_inline bool leads_to_memory(__u8 func)
{
	const struct signature *signature;

	if (func >= FUNCTIONS)
		return 0;
	signature = &signatures[func];
	return ((script_reads & READS_PATH) && signature->path != NO_ARG) ||
	       ((script_reads & READS_BYTES_REQ) && signature->buffers != NO_ARG);
}

/* Whether the script wants something from guest memory of a call, as far as it is known which function that is. */
static __always_inline bool wants_memory(const struct cookie *cookie)
{
	if (has_role(cookie, ROLE_ENVELOPE))
		return script_reads & (READS_BYTES | READS_BYTES_REQ | READS_PATH);
	return ((script_reads & READS_BYTES) && cookie->moved_arg != NO_ARG) || leads_to_memory(cookie->func);
}

/* Returns 0 if the argument could be read. */
static __always_inline int read_argument(struct open_call *open, const volatile struct abi *abi, __u32 index, __u64 *value)
{
	__u32 reg = abi->args_reg + index;
	__u64 address;

	*value = 0;
	if (abi->args == ARGS_UNKNOWN)
		return -1;
	if (abi->args == ARGS_REGISTERS) {
		if (reg < 6) {
			*value = open->registers[reg & 7];
			return 0;
		}
		address = open->sp + 8 + 8 * (reg - 6);
	} else {
		address = open->cells + index * abi->stride;
	}
	if (!read_user(value, sizeof(*value), (void *)address))
		return 0;
	count(COUNT_NO_MEMORY);
	return -1;
}

/* An argument as the guest passed it; NONE if the runtime has replaced it before. */
static __always_inline __s64 passed_argument(struct open_call *open, const volatile struct abi *abi,
					     const struct signature *signature, __u32 index)
{
	__u64 value;

	if (index >= signature->count)
		return NONE;
	if (abi->memory == MEMORY_HOST && (signature->pointers >> index & 1))
		return NONE;
	if (read_argument(open, abi, index, &value))
		return NONE;
	return signature->wide >> index & 1 ? value : (__u32)value;
}

/* How many bytes the buffers of an array hold; NONE if that cannot be told. */
static __noinline __s64 add_buffers(struct open_call *open, const volatile struct abi *abi, __u64 array, __u32 number)
{
	__u64 address, sum = 0;
	__u32 length;

	if (!open)
		return NONE;
	/* No buffers need not be anywhere. */
	if (!number)
		return 0;
	if (number > MAX_BUFFERS) {
		count(COUNT_BUFFERS);
		return NONE;
	}
	address = guest_address(abi, open, array);
	if (!address)
		return NONE;
	address += abi->buffers == BUFFERS_HOST ? 8 : 4;
	for (__u32 i = 0; i < MAX_BUFFERS; i++) {
		if (i >= number)
			break;
		if (read_user(&length, sizeof(length), (void *)address)) {
			count(COUNT_NO_MEMORY);
			return NONE;
		}
		sum += length;
		address += abi->buffers == BUFFERS_HOST ? 16 : 8;
	}
	return sum;
}

static __always_inline void clear_path(struct call *call)
{
	__u64 *words = (__u64 *)call->path;

	for (__u32 i = 0; i < PATH_LEN / 8; i++)
		words[i] = 0;
}

/* The path that is an argument, or that by which the descriptor was opened. */
static __noinline int read_path(struct open_call *open, const volatile struct abi *abi)
{
	const struct signature *signature;
	struct descriptor key;
	__u64 pointer, length;
	__u64 address;
	struct path *path;
	__u32 func;

	if (!open)
		return 0;
	clear_path(&open->call);
	func = open->call.func;
	if (func >= FUNCTIONS)
		return 0;
	signature = &signatures[func];
	if (signature->path != NO_ARG) {
		if (read_argument(open, abi, signature->path, &pointer) ||
		    read_argument(open, abi, signature->path + 1, &length))
			return 0;
		address = guest_address(abi, open, pointer);
		if (!address)
			return 0;
		length = (__u32)length;
		if (length > PATH_LEN - 1)
			length = PATH_LEN - 1;
		if (read_user(open->call.path, length & (PATH_LEN - 1), (void *)address)) {
			count(COUNT_NO_MEMORY);
			clear_path(&open->call);
		}
	} else if (signature->fd != NO_ARG && !read_argument(open, abi, signature->fd, &pointer)) {
		key.pid = bpf_get_current_pid_tgid() >> 32;
		key.fd = pointer;
		path = bpf_map_lookup_elem(&paths, &key);
		if (path)
			__builtin_memcpy(open->call.path, path->text, PATH_LEN);
	}
	return 0;
}

/* Fills what the script reads of READS_DESCRIPTION. */
static __noinline int describe(struct open_call *open, const volatile struct abi *abi)
{
	const struct signature *signature;
	__u64 first, second;
	__s64 *args;
	__u32 func;

	if (!open)
		return 0;
	func = open->call.func;
	if (func >= FUNCTIONS)
		return 0;
	signature = &signatures[func];
	args = (__s64 *)((char *)&open->call + __builtin_offsetof(struct call, arg0));
#pragma unroll
	for (__u32 i = 0; i < 9; i++)
		if (script_reads & (READS_ARG0 << i))
			args[i] = passed_argument(open, abi, signature, i);
	if (script_reads & (READS_IOVS | READS_BYTES_REQ)) {
		open->call.iovs = NONE;
		open->call.bytes_req = NONE;
		if (signature->buffers != NO_ARG) {
			if (!read_argument(open, abi, signature->buffers, &first) &&
			    !read_argument(open, abi, signature->buffers + 1, &second)) {
				open->call.iovs = (__u32)second;
				if (script_reads & READS_BYTES_REQ)
					open->call.bytes_req = add_buffers(open, abi, first, second);
			}
		} else if (signature->length != NO_ARG) {
			if (!read_argument(open, abi, signature->length, &first))
				open->call.bytes_req = (__u32)first;
		}
	}
	if (script_reads & READS_PATH) {
		read_path(open, abi);
		/* The descriptor that the call closes, and where it tells or takes the other one. */
		open->fd = 0;
		open->other = 0;
		if (func == FUNC_FD_CLOSE || func == FUNC_FD_RENUMBER) {
			read_argument(open, abi, 0, &first);
			open->fd = first;
		}
		if (func == FUNC_FD_RENUMBER && !read_argument(open, abi, 1, &second))
			open->other = second;
		if (func == FUNC_PATH_OPEN && !read_argument(open, abi, 8, &second))
			open->other = second;
	}
	return 0;
}

/* Whether the call changes which descriptors have a path. */
static __always_inline bool changes_descriptors(__s64 func)
{
	return (script_reads & READS_PATH) &&
	       (func == FUNC_PATH_OPEN || func == FUNC_FD_CLOSE || func == FUNC_FD_RENUMBER);
}

/* A call that succeeded has opened, closed or renumbered a descriptor. */
static __noinline int follow_descriptor(struct open_call *open, const volatile struct abi *abi)
{
	struct descriptor key, to;
	struct path *path;
	__u64 address;
	__u32 fd;

	if (!open)
		return 0;
	key.pid = bpf_get_current_pid_tgid() >> 32;
	to.pid = key.pid;
	if (open->call.func == FUNC_PATH_OPEN) {
		address = guest_address(abi, open, open->other);
		if (!address)
			return 0;
		if (read_user(&fd, sizeof(fd), (void *)address)) {
			count(COUNT_NO_MEMORY);
			return 0;
		}
		to.fd = fd;
		if (bpf_map_update_elem(&paths, &to, open->call.path, BPF_ANY))
			count(COUNT_PATHS);
		return 0;
	}
	key.fd = open->fd;
	if (open->call.func == FUNC_FD_RENUMBER) {
		to.fd = open->other;
		path = bpf_map_lookup_elem(&paths, &key);
		if (!path)
			bpf_map_delete_elem(&paths, &to);
		else if (bpf_map_update_elem(&paths, &to, path, BPF_ANY))
			count(COUNT_PATHS);
	}
	bpf_map_delete_elem(&paths, &key);
	return 0;
}
