//! The functions of WASI preview 1 (`wasi_snapshot_preview1.witx`), in the order of that file.

use std::fmt;

/// How one argument of a WASI function looks at the WebAssembly boundary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArgType {
    /// A 32-bit integer: a descriptor, a flag set, a length.
    U32,
    /// A 64-bit integer: an offset, a time stamp, a set of rights.
    U64,
    /// The address of memory that the function reads or fills.
    Pointer,
    /// The address of a `size` to which the function writes how many bytes it moved.
    Moved,
}

/// One argument: its name in the specification and its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arg {
    /// The name in the specification.
    pub name: &'static str,
    /// The type at the WebAssembly boundary.
    pub ty: ArgType,
}

/// The argument that says how many bytes a successful call moved, by its index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moved {
    /// The argument points to the number.
    Pointer(usize),
    /// The argument is the number: the call moves all or nothing.
    Value(usize),
}

/// One WASI function, by its index in [`FUNCTIONS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Function(u8);

/// Name and arguments of one function.
#[derive(Debug)]
pub struct Signature {
    /// The name in the specification, such as `fd_write`.
    pub name: &'static str,
    /// The arguments in order.
    pub args: &'static [Arg],
}

macro_rules! signatures {
    ($($name:ident ( $($arg:ident : $ty:ident),* );)*) => {
        /// All functions, in the order of the specification. The index is the identity of a function.
        pub const FUNCTIONS: &[Signature] = &[
            $(Signature {
                name: stringify!($name),
                args: &[$(Arg { name: stringify!($arg), ty: ArgType::$ty }),*],
            }),*
        ];
    };
}

signatures! {
    args_get(argv: Pointer, argv_buf: Pointer);
    args_sizes_get(argc: Pointer, argv_buf_size: Pointer);
    environ_get(environ: Pointer, environ_buf: Pointer);
    environ_sizes_get(environc: Pointer, environ_buf_size: Pointer);
    clock_res_get(id: U32, resolution: Pointer);
    clock_time_get(id: U32, precision: U64, time: Pointer);
    fd_advise(fd: U32, offset: U64, len: U64, advice: U32);
    fd_allocate(fd: U32, offset: U64, len: U64);
    fd_close(fd: U32);
    fd_datasync(fd: U32);
    fd_fdstat_get(fd: U32, stat: Pointer);
    fd_fdstat_set_flags(fd: U32, flags: U32);
    fd_fdstat_set_rights(fd: U32, fs_rights_base: U64, fs_rights_inheriting: U64);
    fd_filestat_get(fd: U32, buf: Pointer);
    fd_filestat_set_size(fd: U32, size: U64);
    fd_filestat_set_times(fd: U32, atim: U64, mtim: U64, fst_flags: U32);
    fd_pread(fd: U32, iovs: Pointer, iovs_len: U32, offset: U64, nread: Moved);
    fd_prestat_get(fd: U32, buf: Pointer);
    fd_prestat_dir_name(fd: U32, path: Pointer, path_len: U32);
    fd_pwrite(fd: U32, iovs: Pointer, iovs_len: U32, offset: U64, nwritten: Moved);
    fd_read(fd: U32, iovs: Pointer, iovs_len: U32, nread: Moved);
    fd_readdir(fd: U32, buf: Pointer, buf_len: U32, cookie: U64, bufused: Moved);
    fd_renumber(fd: U32, to: U32);
    fd_seek(fd: U32, offset: U64, whence: U32, newoffset: Pointer);
    fd_sync(fd: U32);
    fd_tell(fd: U32, offset: Pointer);
    fd_write(fd: U32, iovs: Pointer, iovs_len: U32, nwritten: Moved);
    path_create_directory(fd: U32, path: Pointer, path_len: U32);
    path_filestat_get(fd: U32, flags: U32, path: Pointer, path_len: U32, buf: Pointer);
    path_filestat_set_times(fd: U32, flags: U32, path: Pointer, path_len: U32, atim: U64, mtim: U64, fst_flags: U32);
    path_link(old_fd: U32, old_flags: U32, old_path: Pointer, old_path_len: U32, new_fd: U32, new_path: Pointer, new_path_len: U32);
    path_open(fd: U32, dirflags: U32, path: Pointer, path_len: U32, oflags: U32, fs_rights_base: U64, fs_rights_inheriting: U64, fdflags: U32, opened_fd: Pointer);
    path_readlink(fd: U32, path: Pointer, path_len: U32, buf: Pointer, buf_len: U32, bufused: Moved);
    path_remove_directory(fd: U32, path: Pointer, path_len: U32);
    path_rename(fd: U32, old_path: Pointer, old_path_len: U32, new_fd: U32, new_path: Pointer, new_path_len: U32);
    path_symlink(old_path: Pointer, old_path_len: U32, fd: U32, new_path: Pointer, new_path_len: U32);
    path_unlink_file(fd: U32, path: Pointer, path_len: U32);
    poll_oneoff(in_: Pointer, out: Pointer, nsubscriptions: U32, nevents: Pointer);
    proc_exit(rval: U32);
    proc_raise(sig: U32);
    sched_yield();
    random_get(buf: Pointer, buf_len: U32);
    sock_accept(fd: U32, flags: U32, new_fd: Pointer);
    sock_recv(fd: U32, ri_data: Pointer, ri_data_len: U32, ri_flags: U32, ro_datalen: Moved, ro_flags: Pointer);
    sock_send(fd: U32, si_data: Pointer, si_data_len: U32, si_flags: U32, so_datalen: Moved);
    sock_shutdown(fd: U32, how: U32);
}

impl Function {
    /// All functions in the order of the specification.
    pub fn all() -> impl Iterator<Item = Function> {
        (0..FUNCTIONS.len() as u8).map(Function)
    }

    /// The function of this name, such as `fd_write`.
    pub fn named(name: &str) -> Option<Function> {
        Function::all().find(|function| function.name() == name)
    }

    /// The function with this index in [`FUNCTIONS`].
    pub fn from_index(index: usize) -> Option<Function> {
        (index < FUNCTIONS.len()).then_some(Function(index as u8))
    }

    /// The index in [`FUNCTIONS`]: 0 to 45.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }

    /// The name in the specification.
    pub fn name(self) -> &'static str {
        FUNCTIONS[self.index()].name
    }

    /// The arguments in order.
    pub fn args(self) -> &'static [Arg] {
        FUNCTIONS[self.index()].args
    }

    /// The index of the descriptor that the call works on: the first argument of that kind.
    pub fn fd_arg(self) -> Option<usize> {
        self.args()
            .iter()
            .position(|arg| matches!(arg.name, "fd" | "old_fd"))
    }

    /// Where a call says how many bytes it moved, if it is a function that moves bytes.
    pub fn moved(self) -> Option<Moved> {
        if self.name() == "random_get" {
            return Some(Moved::Value(1));
        }
        self.args()
            .iter()
            .position(|arg| arg.ty == ArgType::Moved)
            .map(Moved::Pointer)
    }
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of WASI functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FunctionSet(u64);

impl FunctionSet {
    /// The set with no function.
    pub const EMPTY: FunctionSet = FunctionSet(0);

    /// The set with every function.
    pub fn all() -> FunctionSet {
        Function::all().collect()
    }

    /// Adds one function.
    pub fn insert(&mut self, function: Function) {
        self.0 |= 1 << function.index();
    }

    /// Whether the function is in the set.
    pub fn contains(self, function: Function) -> bool {
        self.0 >> function.index() & 1 == 1
    }

    /// The functions that are in either set.
    pub fn union(self, other: FunctionSet) -> FunctionSet {
        FunctionSet(self.0 | other.0)
    }

    /// Whether no function is in the set.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many functions are in the set.
    pub fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// The set as a bit mask: bit i stands for the function with index i.
    pub fn bits(self) -> u64 {
        self.0
    }

    /// The functions of the set in the order of the specification.
    pub fn iter(self) -> impl Iterator<Item = Function> {
        Function::all().filter(move |function| self.contains(*function))
    }
}

impl FromIterator<Function> for FunctionSet {
    fn from_iter<I: IntoIterator<Item = Function>>(functions: I) -> FunctionSet {
        let mut set = FunctionSet::EMPTY;
        for function in functions {
            set.insert(function);
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn preview1_has_46_functions_in_the_order_of_the_specification() {
        assert_eq!(FUNCTIONS.len(), 46);
        assert_eq!(Function::named("fd_close").unwrap().index(), 8);
        assert_eq!(Function::named("fd_write").unwrap().index(), 26);
        assert_eq!(Function::named("sock_shutdown").unwrap().index(), 45);
    }

    #[test]
    fn fd_write_moves_what_its_fourth_argument_points_to() {
        let fd_write = Function::named("fd_write").unwrap();
        assert_eq!(fd_write.fd_arg(), Some(0));
        assert_eq!(fd_write.moved(), Some(Moved::Pointer(3)));
    }

    #[test]
    fn path_symlink_has_its_descriptor_in_the_middle() {
        assert_eq!(Function::named("path_symlink").unwrap().fd_arg(), Some(2));
    }

    #[test]
    fn a_set_holds_what_was_put_in() {
        let set: FunctionSet = ["fd_read", "fd_write"]
            .into_iter()
            .filter_map(Function::named)
            .collect();
        assert_eq!(set.len(), 2);
        assert!(set.contains(Function::named("fd_read").unwrap()));
        assert!(!set.contains(Function::named("fd_close").unwrap()));
    }
}
