//! What guests do: the workloads that are bundled, and those of a plan.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::directory::{self, Directory};
use super::plan::{Plan, WorkloadEntry};

/// A module, what it finds, and what it has to print.
#[derive(Debug, Clone)]
pub struct Workload {
    /// Its name in results.
    pub name: String,
    /// Its module.
    pub module: Module,
    /// Its arguments; `{scale}` in them is replaced.
    pub args: Vec<String>,
    stdin: Stdin,
    files: Files,
    expect: Expect,
    /// Whether a runtime has to print the same each time at the same scale.
    pub same_output: bool,
    /// Whether it says on standard error what it called.
    pub states_calls: bool,
    /// Whether it leaves what it finds as it is, so that another run can find the same.
    pub only_reads: bool,
}

/// Where a module is.
#[derive(Debug, Clone)]
pub enum Module {
    /// In this program.
    Bundled(&'static [u8]),
    /// In a file.
    File(PathBuf),
}

/// A number that grows with the scale.
#[derive(Debug, Clone, Copy)]
enum Amount {
    /// The same at any scale.
    Fixed(u64),
    /// So many for each unit of the scale.
    Each(u64),
}

/// So many blocks of a size in bytes.
#[derive(Debug, Clone, Copy)]
struct Blocks(Amount, usize);

/// What is read or written from its beginning to its end.
const LARGE: Blocks = Blocks(Amount::Each(4), 32 << 10);
/// What is read and changed here and there.
const SMALL: Blocks = Blocks(Amount::Fixed(64), 4 << 10);

#[derive(Debug, Clone)]
enum Stdin {
    Nothing,
    Blocks(Blocks),
    File(PathBuf),
}

/// What is in the guest's directory.
#[derive(Debug, Clone)]
enum Files {
    Nothing,
    /// A file `input`.
    Blocks(Blocks),
    /// A folder `files` with so many files.
    Many(Amount),
    /// What is in a folder.
    Folder(PathBuf),
}

/// What has to come out.
#[derive(Debug, Clone)]
enum Expect {
    Anything,
    /// This text on standard output; `{scale}` in it is replaced.
    Text(String),
    /// So many lines of 16 bytes on standard output.
    Lines(Amount),
    /// Standard input on standard output.
    Stdin,
    /// A file `output` of blocks that are all the same.
    Blocks(Blocks),
}

/// A workload of a plan that does not exist.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such name.
    #[error("no workload is called `{name}`; the bundled ones are {}", names().join(", "))]
    Unknown {
        /// What was asked for.
        name: String,
    },
    /// A file of a workload.
    #[error("the workload {name} cannot read {}: {source}", path.display())]
    File {
        /// Its name.
        name: String,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

struct Bundled {
    name: &'static str,
    module: &'static [u8],
    only_reads: bool,
    stdin: Stdin,
    files: Files,
    expect: Expect,
}

/// The numbers are those of workloads/source.
const BUNDLED: &[Bundled] = &[
    Bundled {
        name: "seq-write",
        module: include_bytes!("../../workloads/seq-write.wasm"),
        only_reads: false,
        stdin: Stdin::Nothing,
        files: Files::Nothing,
        expect: Expect::Blocks(LARGE),
    },
    Bundled {
        name: "seq-read",
        module: include_bytes!("../../workloads/seq-read.wasm"),
        only_reads: true,
        stdin: Stdin::Nothing,
        files: Files::Blocks(LARGE),
        expect: Expect::Text(String::new()),
    },
    Bundled {
        name: "random-rw",
        module: include_bytes!("../../workloads/random-rw.wasm"),
        only_reads: false,
        stdin: Stdin::Nothing,
        files: Files::Blocks(SMALL),
        expect: Expect::Text(String::new()),
    },
    Bundled {
        name: "small-writes",
        module: include_bytes!("../../workloads/small-writes.wasm"),
        only_reads: false,
        stdin: Stdin::Nothing,
        files: Files::Nothing,
        expect: Expect::Lines(Amount::Each(10)),
    },
    Bundled {
        name: "open-stat-close",
        module: include_bytes!("../../workloads/open-stat-close.wasm"),
        only_reads: true,
        stdin: Stdin::Nothing,
        files: Files::Many(Amount::Fixed(100)),
        expect: Expect::Text(String::new()),
    },
    Bundled {
        name: "readdir",
        module: include_bytes!("../../workloads/readdir.wasm"),
        only_reads: true,
        stdin: Stdin::Nothing,
        files: Files::Many(Amount::Each(2)),
        expect: Expect::Text(String::new()),
    },
    Bundled {
        name: "clock-random",
        module: include_bytes!("../../workloads/clock-random.wasm"),
        only_reads: true,
        stdin: Stdin::Nothing,
        files: Files::Nothing,
        expect: Expect::Text(String::new()),
    },
    Bundled {
        name: "copy",
        module: include_bytes!("../../workloads/copy.wasm"),
        only_reads: true,
        stdin: Stdin::Blocks(LARGE),
        files: Files::Nothing,
        expect: Expect::Stdin,
    },
];

/// The names of the bundled workloads.
pub fn names() -> Vec<&'static str> {
    BUNDLED.iter().map(|bundled| bundled.name).collect()
}

/// The workloads of a plan, in its order.
///
/// # Errors
/// One of them does not exist, or its files do not.
pub fn of_plan(plan: &Plan) -> Result<Vec<Workload>, Error> {
    let find = |name: &String| {
        let own = plan.workload.iter().find(|entry| &entry.name == name);
        let workload = match own {
            Some(entry) => Workload::of_entry(entry),
            None => BUNDLED
                .iter()
                .find(|bundled| bundled.name == name)
                .map(Workload::of_bundled)
                .ok_or_else(|| Error::Unknown { name: name.clone() })?,
        };
        workload.check()?;
        Ok(workload)
    };
    plan.workloads.iter().map(find).collect()
}

impl Amount {
    fn at(self, scale: u64) -> u64 {
        match self {
            Amount::Fixed(number) => number,
            Amount::Each(number) => number * scale,
        }
    }
}

impl Workload {
    fn of_bundled(bundled: &Bundled) -> Workload {
        Workload {
            name: bundled.name.to_owned(),
            module: Module::Bundled(bundled.module),
            args: vec!["{scale}".to_owned()],
            stdin: bundled.stdin.clone(),
            files: bundled.files.clone(),
            expect: bundled.expect.clone(),
            same_output: false,
            states_calls: true,
            only_reads: bundled.only_reads,
        }
    }

    fn of_entry(entry: &WorkloadEntry) -> Workload {
        let entry = entry.clone();
        Workload {
            name: entry.name,
            module: Module::File(entry.module),
            args: entry.args,
            stdin: entry.stdin.map_or(Stdin::Nothing, Stdin::File),
            files: entry.directory.map_or(Files::Nothing, Files::Folder),
            expect: entry.expect.map_or(Expect::Anything, Expect::Text),
            same_output: entry.same_output,
            states_calls: entry.states_calls,
            only_reads: false,
        }
    }

    /// Whether what it needs is there.
    fn check(&self) -> Result<(), Error> {
        let file = match &self.module {
            Module::File(path) => Some(path),
            Module::Bundled(_) => None,
        };
        let stdin = match &self.stdin {
            Stdin::File(path) => Some(path),
            Stdin::Nothing | Stdin::Blocks(_) => None,
        };
        let failed = |path: &PathBuf, source| Error::File {
            name: self.name.clone(),
            path: path.clone(),
            source,
        };
        for path in file.into_iter().chain(stdin) {
            File::open(path).map_err(|source| failed(path, source))?;
        }
        if let Files::Folder(path) = &self.files {
            fs::read_dir(path).map_err(|source| failed(path, source))?;
        }
        Ok(())
    }

    /// Whether the scale makes a difference to it: whether `{scale}` is anywhere in what it is given or has to print.
    pub fn has_scale(&self) -> bool {
        let expected = match &self.expect {
            Expect::Text(text) => text.contains("{scale}"),
            _ => false,
        };
        expected
            || self
                .args
                .iter()
                .any(|argument| argument.contains("{scale}"))
    }

    /// Its arguments at a scale.
    pub fn arguments(&self, scale: u64) -> Vec<String> {
        let at = |argument: &String| argument.replace("{scale}", &scale.to_string());
        self.args.iter().map(at).collect()
    }

    /// Fills the guest's directory, which is `guest` in that of the run, and writes its standard input.
    ///
    /// # Errors
    /// There is no place, or what is copied cannot be read.
    pub fn prepare(&self, scale: u64, run: &Directory) -> io::Result<()> {
        let guest = run.join("guest");
        fs::create_dir(&guest)?;
        match &self.files {
            Files::Nothing => {}
            Files::Blocks(Blocks(blocks, size)) => {
                directory::write_blocks(&guest.join("input"), blocks.at(scale), *size)?;
            }
            Files::Many(files) => directory::write_files(&guest.join("files"), files.at(scale))?,
            Files::Folder(folder) => directory::copy(folder, &guest)?,
        }
        if let Stdin::Blocks(Blocks(blocks, size)) = &self.stdin {
            directory::write_blocks(&run.join("stdin"), blocks.at(scale), *size)?;
        }
        Ok(())
    }

    /// Where its standard input is, once it is prepared.
    pub fn stdin(&self, run: &Directory) -> PathBuf {
        match &self.stdin {
            Stdin::Nothing => PathBuf::from("/dev/null"),
            Stdin::File(path) => path.clone(),
            Stdin::Blocks(_) => run.join("stdin"),
        }
    }

    /// What is wrong with what a run left in its folder, where `stdout` is its standard output.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn judge(&self, scale: u64, run: &Directory) -> io::Result<Option<String>> {
        let stdout = run.join("stdout");
        let (right, what) = match &self.expect {
            Expect::Anything => (true, ""),
            Expect::Text(text) => {
                let text = text.replace("{scale}", &scale.to_string());
                let length = fs::metadata(&stdout)?.len();
                let same = length == text.len() as u64 && fs::read(&stdout)? == text.as_bytes();
                (same, "standard output is not what was expected")
            }
            Expect::Lines(lines) => (
                fs::read(&stdout)? == numbered_lines(lines.at(scale)),
                "standard output does not have the lines that were written",
            ),
            Expect::Stdin => (
                directory::same(&stdout, &run.join("stdin"))?,
                "standard output is not what standard input was",
            ),
            Expect::Blocks(Blocks(blocks, size)) => {
                let path = run.join("guest/output");
                (
                    directory::repeats_block(&path, blocks.at(scale), *size)?,
                    "the file that was written has other contents",
                )
            }
        };
        Ok((!right).then(|| what.to_owned()))
    }

    /// Its module, written to a folder by a name that all runtimes can read, and as a binary if it is a text.
    ///
    /// # Errors
    /// There is no place, or the module cannot be read.
    pub fn module_in(&self, folder: &Path) -> io::Result<PathBuf> {
        let is_plain = |next: char| next.is_ascii_alphanumeric() || "-_.".contains(next);
        let name = self.name.replace(|next| !is_plain(next), "_");
        let mut path = folder.join(format!("{name}.wasm"));
        for number in 2.. {
            if !path.exists() {
                break;
            }
            path = folder.join(format!("{name}-{number}.wasm"));
        }
        match &self.module {
            Module::Bundled(bytes) => fs::write(&path, bytes)?,
            Module::File(file) => match self.translated(file)? {
                Some(bytes) => fs::write(&path, bytes)?,
                None => fs::write(&path, fs::read(file)?)?,
            },
        }
        Ok(path)
    }

    /// A module in the text format as a binary; none if it is none.
    fn translated(&self, file: &Path) -> io::Result<Option<Vec<u8>>> {
        if file.extension().is_none_or(|extension| extension != "wat") {
            return Ok(None);
        }
        let bytes = fs::read(file)?;
        let binary = wat::parse_bytes(&bytes).map_err(|mut error| {
            error.set_path(file);
            io::Error::other(format!(
                "the module of {} is no WebAssembly text: {error}",
                self.name
            ))
        })?;
        Ok(Some(binary.into_owned()))
    }
}

fn numbered_lines(lines: u64) -> Vec<u8> {
    let mut text = Vec::new();
    for number in 0..lines {
        text.extend_from_slice(format!("line {number:010}\n").as_bytes());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bundled_modules_import_what_they_count_and_nothing_else() {
        let source = include_str!("../../workloads/source/calls.c");
        let counted: Vec<&str> = source
            .lines()
            .filter_map(|line| line.trim_start().strip_prefix("F("))
            .filter_map(|line| line.split(',').next())
            .collect();
        for bundled in BUNDLED {
            let module = wasmi::Module::new(&wasmi::Engine::default(), bundled.module).unwrap();
            for import in module.imports() {
                let name = import.name();
                assert_eq!(import.module(), "wasi_snapshot_preview1", "{name}");
                assert!(
                    name == "proc_exit" || counted.contains(&name),
                    "{}: {name}",
                    bundled.name
                );
            }
        }
    }

    #[test]
    fn what_is_wrong_with_an_output_is_said() {
        let run = Directory::new().unwrap();
        let named = |name: &str| {
            Workload::of_bundled(BUNDLED.iter().find(|bundled| bundled.name == name).unwrap())
        };
        let lines = named("small-writes");
        fs::write(run.join("stdout"), numbered_lines(20)).unwrap();
        assert_eq!(lines.judge(2, &run).unwrap(), None);
        assert!(lines.judge(1, &run).unwrap().is_some());
        let quiet = named("clock-random");
        assert!(quiet.judge(2, &run).unwrap().is_some());
        let written = named("seq-write");
        written.prepare(1, &run).unwrap();
        assert!(written.judge(1, &run).is_err());
        fs::write(run.join("guest/output"), "short").unwrap();
        assert!(written.judge(1, &run).unwrap().is_some());
    }

    #[test]
    fn every_runtime_can_read_the_name_of_a_module_and_a_text_is_translated() {
        use std::os::unix::ffi::OsStrExt;
        let run = Directory::new().unwrap();
        let folder = run.join("a b");
        fs::create_dir(&folder).unwrap();
        let file = folder.join(std::ffi::OsStr::from_bytes(b"caf\xe9.wat"));
        fs::write(&file, "(module)").unwrap();
        let mut workload = Workload::of_bundled(&BUNDLED[0]);
        workload.name = "my/app é".to_owned();
        workload.module = Module::File(file.clone());
        let path = workload.module_in(run.path()).unwrap();
        assert_eq!(path, run.join("my_app__.wasm"));
        assert_eq!(fs::read(path).unwrap(), b"\0asm\x01\0\0\0");
        assert_eq!(
            workload.module_in(run.path()).unwrap(),
            run.join("my_app__-2.wasm")
        );
        fs::write(&file, "(modul)").unwrap();
        let error = workload.module_in(run.path()).unwrap_err().to_string();
        assert!(
            error.contains("the module of my/app é is no WebAssembly text"),
            "{error}"
        );
    }

    #[test]
    fn a_scale_stands_in_arguments_and_expectations() {
        let text = "[[workload]]\nname = \"w\"\nmodule = \"Cargo.toml\"\n\
                    args = [\"-n{scale}\"]\nexpect = \"{scale} done\\n\"";
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let plan = Plan::parse("p", text, folder).unwrap();
        let workload = &of_plan(&plan).unwrap()[0];
        assert_eq!(workload.arguments(100), ["-n100"]);
        let run = Directory::new().unwrap();
        fs::write(run.join("stdout"), "100 done\n").unwrap();
        assert_eq!(workload.judge(100, &run).unwrap(), None);
        assert!(workload.judge(10, &run).unwrap().is_some());
    }

    #[test]
    fn a_workload_that_is_not_there_is_refused_by_name() {
        let plan = Plan::parse("p", "workloads = [\"seq-wirte\"]", Path::new("/")).unwrap();
        let error = of_plan(&plan).unwrap_err().to_string();
        assert!(
            error.contains("`seq-wirte`; the bundled ones are seq-write, "),
            "{error}"
        );
        let text = "[[workload]]\nname = \"w\"\nmodule = \"not-there.wasm\"";
        let plan = Plan::parse("p", text, Path::new("/")).unwrap();
        let error = of_plan(&plan).unwrap_err().to_string();
        assert!(
            error.starts_with("the workload w cannot read /not-there.wasm"),
            "{error}"
        );
    }
}
