//! The calls of the matrix: every function of preview 1, with arguments known to be good and known to be bad.

use super::manifest::Value::{Buffers, Fd, Number as N, Opens, Path, Room, Sized, Words};
use super::manifest::{Call, Value};

/// A descriptor that is not open.
const BAD: Value = N(77);

/// The guest's directory. It has the file `data` with 16 bytes, `other` with 5, and the folder `folder` with two files.
const DIR: Value = N(3);

/// Rights to read, write, seek, tell, sync, allocate, list, and to change flags, times and size: what WAMR gives
/// for its directory.
const RIGHTS: Value = N(0xe0_41ff);

/// More than 32 bits hold.
const FAR: u64 = 5 << 30;

/// A subscription to the monotonic clock that is due after 1 ns (Wasmer waits for ever for 0): user data, kind, clock, time, precision, flags.
const DUE: Value = Words(&[0x77, 0, 1, 1, 0, 0]);

/// 130 bytes: more than ewapa shows.
const LONG: &[u8] = b"0123456789012345678901234567890123456789012345678901234567890123456789\
    012345678901234567890123456789012345678901234567890123456789";

/// Path_open for reading and writing, without following symbolic links.
fn open(path: &'static [u8], oflags: u64, fdflags: u64, name: &'static str) -> Call {
    let values = [
        DIR,
        N(0),
        Path(path),
        N(oflags),
        RIGHTS,
        RIGHTS,
        N(fdflags),
        Opens(name),
    ];
    Call::new("path_open", &values)
}

/// All calls that a guest makes one after the other and goes on.
pub fn calls() -> Vec<Call> {
    let call = Call::new;
    let mut calls = vec![
        call("args_sizes_get", &[Room(4), Room(4)]),
        call("args_get", &[Room(256), Room(8192)]),
        call("environ_sizes_get", &[Room(4), Room(4)]),
        call("environ_get", &[Room(4096), Room(32768)]),
        call("clock_res_get", &[N(1), Room(8)]),
        call("clock_time_get", &[N(0), N(1_000_000_000_000), Room(8)]),
        call("clock_time_get", &[N(1), N(0), Room(8)]),
        call("random_get", &[Room(64), N(33)]),
        call("random_get", &[Room(8), N(0)]),
        call("sched_yield", &[]),
        call("fd_prestat_get", &[DIR, Room(8)]),
        call("fd_prestat_get", &[BAD, Room(8)]),
        call("fd_prestat_dir_name", &[DIR, Room(512), N(512)]),
        call("fd_prestat_dir_name", &[DIR, Room(8), N(0)]),
        call("fd_prestat_dir_name", &[BAD, Room(8), N(8)]),
    ];
    calls.extend([
        call("path_create_directory", &[DIR, Path(b"made")]),
        call("path_create_directory", &[DIR, Path(b"made")]),
        call("path_create_directory", &[BAD, Path(b"made")]),
        open(b"data", 0, 0, "read"),
        open(b"missing", 0, 0, "none"),
        open(b"", 0, 0, "none"),
        open(LONG, 0, 4, "none"),
        open(b"not \xff\xfe text", 0, 0, "none"),
        open(b"new", 1, 0, "new"),
        open(b"new", 1 | 4, 0, "none"),
        call(
            "path_open",
            &[
                DIR,
                N(1),
                Path(b"folder"),
                N(2),
                N(1 << 14),
                RIGHTS,
                N(0),
                Opens("folder"),
            ],
        ),
        open(b"folder/first", 0, 0, "first"),
        open(b"other", 0, 1, "second"),
        call(
            "path_open",
            &[
                BAD,
                N(1),
                Path(b"data"),
                N(0),
                N(2),
                N(0),
                N(0),
                Opens("none"),
            ],
        ),
        call("path_filestat_get", &[DIR, N(1), Path(b"data"), Room(64)]),
        call(
            "path_filestat_get",
            &[DIR, N(0), Path(b"missing"), Room(64)],
        ),
        call("path_filestat_get", &[BAD, N(0), Path(b"data"), Room(64)]),
        call(
            "path_filestat_set_times",
            &[DIR, N(0), Path(b"other"), N(1_000_000_007), N(FAR), N(5)],
        ),
        call(
            "path_filestat_set_times",
            &[DIR, N(0), Path(b"missing"), N(1), N(2), N(5)],
        ),
        call(
            "path_filestat_set_times",
            &[BAD, N(1), Path(b"other"), N(1), N(2), N(5)],
        ),
        call(
            "path_link",
            &[DIR, N(0), Path(b"data"), DIR, Path(b"linked")],
        ),
        call(
            "path_link",
            &[DIR, N(0), Path(b"missing"), DIR, Path(b"linked")],
        ),
        call(
            "path_link",
            &[BAD, N(0), Path(b"data"), BAD, Path(b"linked")],
        ),
        call("path_symlink", &[Path(b"data"), DIR, Path(b"symlinked")]),
        call("path_symlink", &[Path(b"data"), BAD, Path(b"symlinked")]),
        call(
            "path_readlink",
            &[DIR, Path(b"symlinked"), Sized(64), Room(4)],
        ),
        call("path_readlink", &[DIR, Path(b"data"), Sized(64), Room(4)]),
        call(
            "path_rename",
            &[DIR, Path(b"linked"), DIR, Path(b"renamed")],
        ),
        call(
            "path_rename",
            &[DIR, Path(b"missing"), DIR, Path(b"renamed")],
        ),
        call("path_unlink_file", &[DIR, Path(b"renamed")]),
        call("path_unlink_file", &[DIR, Path(b"missing")]),
        call("path_remove_directory", &[DIR, Path(b"made")]),
        call("path_remove_directory", &[DIR, Path(b"missing")]),
    ]);
    calls.extend([
        call("fd_fdstat_get", &[Fd("read"), Room(24)]),
        call("fd_fdstat_get", &[BAD, Room(24)]),
        call("fd_fdstat_set_flags", &[Fd("second"), N(0)]),
        call("fd_fdstat_set_flags", &[BAD, N(1)]),
        call("fd_fdstat_set_rights", &[Fd("second"), N(0x26), N(0)]),
        call("fd_fdstat_set_rights", &[BAD, N(2), N(1)]),
        call("fd_filestat_get", &[Fd("read"), Room(64)]),
        call("fd_filestat_get", &[BAD, Room(64)]),
        call("fd_filestat_set_size", &[Fd("new"), N(100)]),
        call("fd_filestat_set_size", &[BAD, N(FAR)]),
        call(
            "fd_filestat_set_times",
            &[Fd("new"), N(1_000_000_007), N(FAR), N(5)],
        ),
        call("fd_filestat_set_times", &[BAD, N(1), N(2), N(5)]),
        call("fd_advise", &[Fd("read"), N(0), N(16), N(1)]),
        call("fd_advise", &[BAD, N(FAR), N(16), N(5)]),
        call("fd_allocate", &[Fd("new"), N(0), N(200)]),
        call("fd_allocate", &[BAD, N(1), N(FAR)]),
        call("fd_read", &[Fd("read"), Buffers(&[5]), Room(4)]),
        call("fd_read", &[Fd("read"), Buffers(&[2, 0, 3]), Room(4)]),
        call("fd_read", &[Fd("read"), Buffers(&[]), Room(4)]),
        call("fd_read", &[BAD, Buffers(&[5, 2]), Room(4)]),
        call("fd_pread", &[Fd("read"), Buffers(&[4]), N(3), Room(4)]),
        call("fd_pread", &[Fd("read"), Buffers(&[4]), N(FAR), Room(4)]),
        call("fd_pread", &[BAD, Buffers(&[4]), N(3), Room(4)]),
        call("fd_write", &[Fd("new"), Buffers(&[7]), Room(4)]),
        call("fd_write", &[Fd("new"), Buffers(&[0, 5, 2]), Room(4)]),
        call("fd_write", &[Fd("new"), Buffers(&[0]), Room(4)]),
        call("fd_write", &[Fd("new"), Buffers(&[1; 64]), Room(4)]),
        call("fd_write", &[BAD, Buffers(&[5]), Room(4)]),
        call("fd_pwrite", &[Fd("new"), Buffers(&[3, 1]), N(5), Room(4)]),
        call("fd_pwrite", &[Fd("new"), Buffers(&[3]), N(FAR), Room(4)]),
        call("fd_pwrite", &[BAD, Buffers(&[3]), N(5), Room(4)]),
        call("fd_seek", &[Fd("read"), N(-3i64 as u64), N(1), Room(8)]),
        call("fd_seek", &[Fd("read"), N(FAR), N(0), Room(8)]),
        call("fd_seek", &[Fd("read"), N(-100i64 as u64), N(0), Room(8)]),
        call("fd_seek", &[BAD, N(0), N(0), Room(8)]),
        call("fd_tell", &[Fd("read"), Room(8)]),
        call("fd_tell", &[BAD, Room(8)]),
        call("fd_datasync", &[Fd("new")]),
        call("fd_datasync", &[BAD]),
        call("fd_sync", &[Fd("new")]),
        call("fd_sync", &[BAD]),
        call("fd_readdir", &[Fd("folder"), Sized(256), N(0), Room(4)]),
        call("fd_readdir", &[BAD, Sized(256), N(FAR), Room(4)]),
        call("fd_renumber", &[Fd("first"), Fd("second")]),
        call("fd_tell", &[Fd("second"), Room(8)]),
        call("fd_tell", &[Fd("first"), Room(8)]),
        call("fd_renumber", &[BAD, N(78)]),
        call("poll_oneoff", &[DUE, Room(64), N(1), Room(4)]),
        call("sock_accept", &[Fd("read"), N(0), Room(4)]),
        call("sock_accept", &[BAD, N(4), Room(4)]),
        call(
            "sock_recv",
            &[Fd("read"), Buffers(&[5, 2]), N(0), Room(4), Room(4)],
        ),
        call("sock_recv", &[BAD, Buffers(&[5]), N(1), Room(4), Room(4)]),
        call("sock_send", &[Fd("read"), Buffers(&[5, 2]), N(0), Room(4)]),
        call("sock_send", &[BAD, Buffers(&[5]), N(0), Room(4)]),
        call("sock_shutdown", &[Fd("read"), N(2)]),
        call("sock_shutdown", &[BAD, N(1)]),
        call("fd_close", &[Fd("read")]),
        call("fd_close", &[Fd("read")]),
        call("fd_close", &[BAD]),
    ]);
    calls
}

/// By which a guest ends: the number is told to who started the process.
pub fn exit() -> Call {
    Call::new("proc_exit", &[N(5)])
}

/// SIGCHLD, which a process does not mind.
pub fn raise() -> Call {
    Call::new("proc_raise", &[N(16)])
}
