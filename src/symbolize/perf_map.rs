//! Code that a process has made at run time: it names its functions in `/tmp/perf-PID.map`, a line each with
//! start, size and name. A guest's functions are found there if the runtime was told to write it.
//!
//! The file is the process's: it is read only if it is a regular file of the user of the process, and
//! never through a link.

use std::ffi::CString;
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::fs::MetadataExt;
use std::rc::Rc;

use crate::engine::maps::proc_text;

use super::Function;

/// Larger files are not read.
const LARGEST: u64 = 256 << 20;

/// Where a process's file is.
pub struct Place {
    tmp: Rc<File>,
    name: CString,
    user: u32,
}

impl Place {
    /// That of a live process.
    pub fn of(pid: u32, tmp: Rc<File>) -> Option<Place> {
        let status = proc_text(pid, "status").ok()?;
        let last = |name: &str| -> Option<u32> {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().last()?.parse().ok()
        };
        // The last number is that for files, and the process's number in its own name space.
        let (user, inner) = (last("Uid:")?, last("NSpid:").unwrap_or(pid));
        Some(Place {
            tmp,
            name: CString::new(format!("perf-{inner}.map")).ok()?,
            user,
        })
    }

    fn open(&self) -> Option<File> {
        let flags = libc::O_RDONLY | libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_CLOEXEC;
        // SAFETY: a path in an open directory; the result is checked and ours.
        let file = unsafe {
            let fd = libc::openat(self.tmp.as_raw_fd(), self.name.as_ptr(), flags);
            (fd >= 0).then(|| File::from_raw_fd(fd))?
        };
        let metadata = file.metadata().ok()?;
        let fits = metadata.is_file() && metadata.uid() == self.user && metadata.len() <= LARGEST;
        fits.then_some(file)
    }
}

/// The functions of one process's file.
#[derive(Default)]
pub struct PerfMap {
    /// Where it is, if the process was seen.
    pub place: Option<Place>,
    read: u64,
    /// Start, end and name, by start.
    functions: Vec<(u64, u64, String)>,
}

impl PerfMap {
    /// The function at an address.
    pub fn find(&mut self, address: u64) -> Option<Function> {
        if let Some(found) = self.known(address) {
            return Some(found);
        }
        self.read_again()?;
        self.known(address)
    }

    fn known(&self, address: u64) -> Option<Function> {
        let behind = self
            .functions
            .partition_point(|(start, _, _)| *start <= address);
        let (start, end, name) = self.functions.get(behind.checked_sub(1)?)?;
        (address < *end).then(|| Function {
            name: name.clone(),
            offset: address - start,
            file: None,
        })
    }

    /// Reads the file if it has grown.
    fn read_again(&mut self) -> Option<()> {
        let file = self.place.as_ref()?.open()?;
        let length = file.metadata().ok()?.len();
        if length == self.read {
            return None;
        }
        let mut bytes = Vec::new();
        file.take(LARGEST).read_to_end(&mut bytes).ok()?;
        self.read = length;
        self.functions = parse(&String::from_utf8_lossy(&bytes));
        Some(())
    }
}

/// The functions in the text of a file: start, end and name, by start. Of two at the same address the later one
/// counts: the memory was used again.
pub fn parse(text: &str) -> Vec<(u64, u64, String)> {
    let line = |line: &str| {
        let mut fields = line.splitn(3, ' ');
        let number = |field: Option<&str>| {
            let field = field?;
            u64::from_str_radix(field.strip_prefix("0x").unwrap_or(field), 16).ok()
        };
        let (start, size) = (number(fields.next())?, number(fields.next())?);
        let name = fields.next()?.trim_end().to_owned();
        (!name.is_empty()).then(|| (start, start.saturating_add(size), name))
    };
    let mut functions: Vec<_> = text.lines().filter_map(line).collect();
    functions.reverse();
    functions.sort_by_key(|(start, _, _)| *start);
    functions.dedup_by_key(|(start, _, _)| *start);
    functions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_later_of_two_functions_at_an_address_counts() {
        let functions = parse("1000 10 old\n2000 20 wasm[0]::function[3] main\nbad\n1000 8 new\n");
        let map = PerfMap {
            functions,
            ..PerfMap::default()
        };
        let name = |address| map.known(address).map(|found| (found.name, found.offset));
        assert_eq!(name(0x1004), Some(("new".to_owned(), 4)));
        assert_eq!(name(0x1009), None);
        assert_eq!(
            name(0x2001),
            Some(("wasm[0]::function[3] main".to_owned(), 1))
        );
        assert_eq!(name(0xfff), None);
    }

    /// A process may write what it likes. `fuzz/` tries more.
    #[test]
    fn whatever_is_written_functions_are_in_order() {
        let pieces = [
            "1000",
            "0x",
            "ffffffffffffffff",
            "g",
            " ",
            " 8 f\n",
            "\n",
            "\r",
            "\0",
            "é",
            "-1",
            "0",
        ];
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..2_000 {
            let count = random.usize(0..40);
            let text: String = (0..count)
                .map(|_| pieces[random.usize(0..pieces.len())])
                .collect();
            let functions = parse(&text);
            assert!(
                functions.windows(2).all(|pair| pair[0].0 < pair[1].0),
                "{text:?}"
            );
            assert!(
                functions.iter().all(|(start, end, _)| start <= end),
                "{text:?}"
            );
        }
    }

    #[test]
    fn a_link_and_the_file_of_another_user_are_not_read() {
        let pid = std::process::id();
        let path = std::env::temp_dir().join(format!("perf-test-{pid}"));
        std::fs::create_dir_all(&path).unwrap();
        let place = |user| Place {
            tmp: Rc::new(File::open(&path).unwrap()),
            name: CString::new("perf-7.map").unwrap(),
            user,
        };
        // SAFETY: it only asks who this process runs as.
        let own = unsafe { libc::geteuid() };
        let mut map = PerfMap {
            place: Some(place(own)),
            ..PerfMap::default()
        };
        assert_eq!(map.find(0x1000), None);
        let file = path.join("perf-7.map");
        std::os::unix::fs::symlink("/proc/self/maps", &file).unwrap();
        assert!(place(own).open().is_none());
        std::fs::remove_file(&file).unwrap();
        std::fs::write(&file, "1000 10 guest\n").unwrap();
        assert!(place(own + 1).open().is_none());
        assert_eq!(map.find(0x1001).unwrap().name, "guest");
        std::fs::write(&file, "1000 10 guest\n3000 10 more\n").unwrap();
        assert_eq!(map.find(0x3000).unwrap().name, "more");
        std::fs::remove_dir_all(&path).unwrap();
    }
}
