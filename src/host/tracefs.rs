//! The kernel's tracepoints, as tracefs shows them.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use ewapa_lang::glob;
use ewapa_lang::host::Field;

/// Where tracefs is mounted, in the order in which it is looked for.
const PLACES: [&str; 2] = ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"];

/// The folder with the events.
///
/// # Errors
/// There is none, or it may not be read: what to do.
pub fn events() -> Result<PathBuf, String> {
    let folders = PLACES.map(|place| Path::new(place).join("events"));
    if let Some(folder) = folders.iter().find(|folder| folder.is_dir()) {
        return std::fs::read_dir(folder)
            .map(|_| folder.clone())
            .map_err(|error| unreadable(folder, error.kind()));
    }
    // A folder that may not be entered looks as if it had nothing in it.
    let root = Path::new(PLACES[0]);
    match std::fs::read_dir(root) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            Err(unreadable(root, error.kind()))
        }
        _ => Err("tracefs is not mounted, so the kernel's tracepoints cannot be read; as root: `mount -t tracefs tracefs /sys/kernel/tracing`".to_owned()),
    }
}

fn unreadable(path: &Path, kind: ErrorKind) -> String {
    match kind {
        ErrorKind::PermissionDenied => format!(
            "{} may not be read; run ewapa as root: tracepoints are known to root only",
            path.display()
        ),
        _ => format!("{} cannot be read: {kind}", path.display()),
    }
}

/// The tracepoints that two globs match, sorted.
///
/// # Errors
/// tracefs cannot be read.
pub fn tracepoints(category: &str, name: &str) -> Result<Vec<(String, String)>, String> {
    let root = events()?;
    let (categories, names) = (globs(category)?, globs(name)?);
    let mut found = Vec::new();
    for category in matching(&root, &categories)? {
        for name in matching(&root.join(&category), &names)? {
            found.push((category.clone(), name));
        }
    }
    found.sort_unstable();
    Ok(found)
}

fn globs(text: &str) -> Result<Vec<String>, String> {
    glob::alternatives(text)
        .ok_or_else(|| format!("the braces in `{text}` stand for too many names"))
}

/// The folders in a folder that one of the globs matches. What has no `*` is not looked for.
fn matching(folder: &Path, globs: &[String]) -> Result<Vec<String>, String> {
    if !globs.iter().any(|wanted| glob::is_glob(wanted)) {
        let mut names = globs.to_vec();
        names.sort_unstable();
        names.dedup();
        names.retain(|name| !name.is_empty() && folder.join(name).is_dir());
        return Ok(names);
    }
    let entries = std::fs::read_dir(folder).map_err(|error| unreadable(folder, error.kind()))?;
    Ok(entries
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| globs.iter().any(|wanted| glob::matches(wanted, name)))
        .collect())
}

/// The functions of the kernel that a glob matches, of those that it lists for tracing.
///
/// # Errors
/// tracefs cannot be read, or no function matches, or too many.
pub fn kernel_functions(wanted: &str) -> Result<Vec<String>, String> {
    /// Each is a probe of its own, and costs wherever it is hit.
    const MOST: usize = 512;
    let found = traceable(wanted)?;
    match found.len() {
        0 => Err(format!(
            "no function of this kernel matches `{wanted}`; `ewapa list 'kprobe:*'` shows all"
        )),
        count if count > MOST => Err(format!(
            "`{wanted}` stands for {count} functions of this kernel, and at most {MOST} can be probed at once; name fewer"
        )),
        _ => Ok(found),
    }
}

/// The functions of the kernel that a glob matches and that can be traced; none if there is none.
///
/// # Errors
/// Neither tracefs nor the kernel's list of symbols can be read.
pub fn traceable(wanted: &str) -> Result<Vec<String>, String> {
    const SYMBOLS: &str = "/proc/kallsyms";
    let globs = globs(wanted)?;
    let path = events().map(|folder| folder.with_file_name("available_filter_functions"));
    if let Some(text) = path
        .ok()
        .and_then(|path| std::fs::read_to_string(path).ok())
    {
        return Ok(functions_in(&text, &globs));
    }
    // Some kernels have no such file, or do not let it be read.
    let text = std::fs::read_to_string(SYMBOLS)
        .map_err(|error| unreadable(Path::new(SYMBOLS), error.kind()))?;
    let functions = text
        .lines()
        .filter_map(symbol)
        .collect::<Vec<_>>()
        .join("\n");
    Ok(functions_in(&functions, &globs))
}

/// The function, and its module, of a line such as `ffffffff81000000 T vfs_read`; none for what is no function, or a
/// part of one that the compiler made.
fn symbol(line: &str) -> Option<&str> {
    let mut parts = line.splitn(3, ' ');
    let (_, kind, name) = (parts.next()?, parts.next()?, parts.next()?);
    let is_part = name.split_whitespace().next()?.contains(['.', '$']);
    (matches!(kind, "t" | "T") && !is_part).then_some(name)
}

/// Each line has a function, and behind it its module if it is in one.
fn functions_in(text: &str, globs: &[String]) -> Vec<String> {
    let mut names: Vec<String> = text
        .lines()
        .filter_map(|line| line.split_ascii_whitespace().next())
        .filter(|name| globs.iter().any(|wanted| glob::matches(wanted, name)))
        .map(str::to_owned)
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The number by which perf events know a tracepoint.
///
/// # Errors
/// There is none of this name, or it cannot be read.
pub fn format_id(category: &str, name: &str) -> Result<u64, String> {
    let text = read(category, name, "id")?;
    text.trim().parse().map_err(|_| {
        format!(
            "the number of the tracepoint {category}:{name} is `{}`",
            text.trim()
        )
    })
}

/// The fields of a tracepoint's record, those that all have left out.
///
/// # Errors
/// There is none of this name, or it cannot be read.
pub fn fields(category: &str, name: &str) -> Result<Vec<Field>, String> {
    Ok(parse(&read(category, name, "format")?))
}

fn read(category: &str, name: &str, file: &str) -> Result<String, String> {
    let root = events()?;
    // A name must not lead elsewhere.
    let is_name = |text: &str| !text.is_empty() && !text.contains('/') && !text.starts_with('.');
    let path = root.join(category).join(name).join(file);
    if !is_name(category) || !is_name(name) {
        return Err(unknown(&root, category, name));
    }
    std::fs::read_to_string(&path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => unknown(&root, category, name),
        kind => unreadable(&path, kind),
    })
}

fn unknown(root: &Path, category: &str, name: &str) -> String {
    let folder = root.join(category);
    let known = |folder: &Path| matching(folder, &["*".to_owned()]).unwrap_or_default();
    let (what, wanted, known) = if folder.is_dir() {
        (
            format!("the tracepoint {category}:{name}"),
            name,
            known(&folder),
        )
    } else {
        (
            format!("the category of tracepoints {category}"),
            category,
            known(root),
        )
    };
    match ewapa_lang::nearest(wanted, known.iter().map(String::as_str)) {
        Some(near) => format!("this kernel does not have {what}; did you mean `{near}`?"),
        None => format!(
            "this kernel does not have {what}; `ewapa list 'tracepoint:*:*'` shows those that it has"
        ),
    }
}

/// The fields that a `format` file describes; the first four, which are the same everywhere, left out.
fn parse(text: &str) -> Vec<Field> {
    text.lines()
        .filter_map(field)
        .filter(|field| !field.name.starts_with("common_"))
        .collect()
}

/// A line such as `field:char comm[16];  offset:8;  size:16;  signed:0;`.
fn field(line: &str) -> Option<Field> {
    let mut parts = line.trim().split(';').map(str::trim);
    let declaration = parts.next()?.strip_prefix("field:")?;
    let mut number = |name: &str| parts.next()?.strip_prefix(name)?.parse::<u16>().ok();
    let (offset, size) = (number("offset:")?, number("size:")?);
    let signed = number("signed:").unwrap_or(0) != 0;
    // An array has its length behind the name: it belongs to the type.
    let (plain, length) = match declaration.split_once('[') {
        Some((plain, length)) if !declaration.starts_with("__data_loc") => {
            (plain, format!("[{length}"))
        }
        _ => (declaration, String::new()),
    };
    let (ty, name) = plain.rsplit_once([' ', '*'])?;
    let pointer = if plain[ty.len()..].starts_with('*') {
        "*"
    } else {
        ""
    };
    Some(Field {
        name: name.trim().to_owned(),
        ty: format!("{}{pointer}{length}", ty.trim_end()),
        offset,
        size,
        signed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SWITCH: &str = "name: sched_switch
ID: 312
format:
\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;
\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;

\tfield:char prev_comm[16];\toffset:8;\tsize:16;\tsigned:0;
\tfield:pid_t prev_pid;\toffset:24;\tsize:4;\tsigned:1;
\tfield:long prev_state;\toffset:32;\tsize:8;\tsigned:1;
\tfield:__data_loc char[] filename;\toffset:40;\tsize:4;\tsigned:0;
\tfield:const char * name;\toffset:48;\tsize:8;\tsigned:0;
\tfield:const char *const *argv;\toffset:56;\tsize:8;\tsigned:0;

print fmt: \"prev_comm=%s\", REC->prev_comm
";

    #[test]
    fn a_format_has_the_fields_of_a_record() {
        let shown: Vec<String> = parse(SWITCH)
            .iter()
            .map(|field| {
                format!(
                    "{} {} {} {} {}",
                    field.ty, field.name, field.offset, field.size, field.signed
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                "char[16] prev_comm 8 16 false",
                "pid_t prev_pid 24 4 true",
                "long prev_state 32 8 true",
                "__data_loc char[] filename 40 4 false",
                "const char * name 48 8 false",
                "const char *const* argv 56 8 false",
            ]
        );
    }

    #[test]
    fn functions_of_the_kernel_are_found_by_globs() {
        let text = "vfs_read\nvfs_write\next4_read [ext4]\nvfs_read\n";
        assert_eq!(
            functions_in(text, &["vfs_*".to_owned()]),
            ["vfs_read", "vfs_write"]
        );
        assert_eq!(functions_in(text, &["ext4_read".to_owned()]), ["ext4_read"]);
    }

    #[test]
    fn symbols_of_functions_are_told_from_others() {
        assert_eq!(symbol("ffffffff81000000 T vfs_read"), Some("vfs_read"));
        assert_eq!(
            symbol("ffffffffc0000000 t ext4_read\t[ext4]"),
            Some("ext4_read\t[ext4]")
        );
        assert_eq!(symbol("ffffffff82000000 D jiffies"), None);
        assert_eq!(symbol("ffffffff81000000 t vfs_read.cold"), None);
        assert_eq!(symbol(""), None);
    }

    #[test]
    fn names_that_lead_elsewhere_are_no_tracepoints() {
        for name in ["..", "../sched", ""] {
            assert!(fields("sched", name).is_err(), "{name}");
        }
    }
}
