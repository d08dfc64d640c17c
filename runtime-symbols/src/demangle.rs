//! From the names in a symbol table to those in the source, without what differs from build to build.

use std::fmt::{self, Write};

use cpp_demangle::DemangleOptions;

/// A longer name is not worth reading; a name made to expand without end stops here.
const LONGEST: usize = 16 * 1024;

/// The name in the source: Rust and C++ demangled, the hash of Rust's legacy mangling removed, and the
/// marks that link-time optimization appends. `None` if the name is too long. Suffixes that mean another
/// body or another signature (`.cold`, `.part.0`, `.isra.0`, `.constprop.0`) stay.
pub(crate) fn demangle(mangled: &str) -> Option<String> {
    let plain = without_lto_suffix(mangled);
    let mut name = Limited(String::with_capacity(plain.len()));
    if let Ok(rust) = rustc_demangle::try_demangle(plain) {
        write!(name, "{rust:#}").ok()?;
    } else if plain.starts_with("_Z")
        && let Ok(cpp) = cpp_demangle::Symbol::new(plain)
    {
        cpp.structured_demangle(&mut name, &DemangleOptions::new())
            .ok()?;
    } else {
        name.write_str(plain).ok()?;
    }
    Some(name.0)
}

/// A Rust name without the hash that its legacy mangling ends with (`::h` and 16 hexadecimal digits).
pub(crate) fn without_hash(name: &str) -> &str {
    match name.rsplit_once("::h") {
        Some((plain, hash))
            if hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) =>
        {
            plain
        }
        _ => name,
    }
}

/// LLVM appends `.llvm.N` to a local function that it made global, gcc `.lto_priv.N`.
fn without_lto_suffix(mangled: &str) -> &str {
    [".llvm.", ".lto_priv."]
        .iter()
        .fold(mangled, |name, mark| match name.rfind(mark) {
            Some(at)
                if name[at + mark.len()..]
                    .bytes()
                    .all(|byte| byte.is_ascii_hexdigit()) =>
            {
                &name[..at]
            }
            _ => name,
        })
}

/// A demangled name short enough for a table: generic arguments become `…`, and of the types in
/// `<A as B>` and `<impl A for B>` only the last segment of the path stays.
pub(crate) fn shorten(name: &str) -> String {
    let mut short = String::new();
    let mut rest = name;
    while let Some(open) = rest.find('<') {
        let Some(length) = bracketed(&rest[open..]) else {
            break;
        };
        let (before, inside) = (&rest[..open], &rest[open + 1..open + length - 1]);
        short.push_str(before);
        let names_a_type = before.is_empty() && short.is_empty() || inside.starts_with("impl ");
        if names_a_type {
            let _ = write!(short, "<{}>", last_segments(inside));
        } else {
            short.push_str("<…>");
        }
        rest = &rest[open + length..];
    }
    short + rest
}

/// The length of the bracketed text at the start, brackets included. `->` closes nothing.
fn bracketed(text: &str) -> Option<usize> {
    let mut depth = 0;
    let mut last = ' ';
    for (at, letter) in text.char_indices() {
        match letter {
            '<' => depth += 1,
            '>' if last != '-' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at + 1);
        }
        last = letter;
    }
    None
}

fn last_segments(types: &str) -> String {
    let flat = match types.find('<') {
        Some(_) => flatten(types),
        None => types.to_owned(),
    };
    flat.split(' ')
        .map(|word| word.rsplit("::").next().unwrap_or(word))
        .collect::<Vec<_>>()
        .join(" ")
}

fn flatten(types: &str) -> String {
    let mut depth = 0usize;
    let mut flat = String::new();
    for letter in types.chars() {
        match letter {
            '<' => {
                if depth == 0 {
                    flat.push_str("<…>");
                }
                depth += 1;
            }
            '>' => depth = depth.saturating_sub(1),
            _ if depth == 0 => flat.push(letter),
            _ => {}
        }
    }
    flat
}

/// A string that refuses to grow beyond [`LONGEST`].
struct Limited(String);

impl fmt::Write for Limited {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.0.len() + text.len() > LONGEST {
            return Err(fmt::Error);
        }
        self.0.push_str(text);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const P1: &str = "_ZN112_$LT$wasmtime_wasi..p1..WasiP1Ctx$u20$as$u20$wasmtime_wasi..p1..wasi_snapshot_preview1\
        ..WasiSnapshotPreview1$GT$8fd_write28_$u7b$$u7b$closure$u7d$$u7d$17hcf9df4eccb8a213eE";

    #[test]
    fn the_hash_of_a_rust_name_is_dropped() {
        assert_eq!(
            demangle(P1).unwrap(),
            "<wasmtime_wasi::p1::WasiP1Ctx as wasmtime_wasi::p1::wasi_snapshot_preview1::WasiSnapshotPreview1>\
             ::fd_write::{{closure}}"
        );
    }

    #[test]
    fn marks_of_link_time_optimization_are_dropped() {
        assert_eq!(demangle(&format!("{P1}.llvm.1234567890")), demangle(P1));
        assert_eq!(
            demangle("wasi_fd_write.lto_priv.0").unwrap(),
            "wasi_fd_write"
        );
    }

    #[test]
    fn a_function_with_another_signature_keeps_its_mark() {
        assert_eq!(
            demangle("wasi_fd_write.isra.0").unwrap(),
            "wasi_fd_write.isra.0"
        );
        assert_eq!(
            demangle("uvwasi_fd_read.cold").unwrap(),
            "uvwasi_fd_read.cold"
        );
    }

    #[test]
    fn cpp_names_have_their_parameters() {
        assert_eq!(
            demangle("_ZN4node4wasi4WASI7FdWriteERKN2v820FunctionCallbackInfoINS2_5ValueEEE")
                .unwrap(),
            "node::wasi::WASI::FdWrite(v8::FunctionCallbackInfo<v8::Value> const&)"
        );
    }

    #[test]
    fn a_short_name_keeps_the_types_and_drops_their_paths() {
        assert_eq!(
            shorten(&demangle(P1).unwrap()),
            "<WasiP1Ctx as WasiSnapshotPreview1>::fd_write::{{closure}}"
        );
        assert_eq!(
            shorten("a::b::<impl a::b::Snapshot for c::Ctx>::fd_read::{{closure}}"),
            "a::b::<impl Snapshot for Ctx>::fd_read::{{closure}}"
        );
    }

    #[test]
    fn a_short_name_has_no_generic_arguments() {
        assert_eq!(
            shorten("<wasmtime::func::HostFunc>::array_call_trampoline::<a::B<c::D>, fn(u8) -> E>"),
            "<HostFunc>::array_call_trampoline::<…>"
        );
        assert_eq!(
            shorten("<F as wasmi::IntoFunc<T,(Caller<T>,T1),R>>::into_func"),
            "<F as IntoFunc<…>>::into_func"
        );
    }

    #[test]
    fn unbalanced_brackets_are_left_alone() {
        assert_eq!(shorten("operator<(a, b)"), "operator<(a, b)");
    }
}
