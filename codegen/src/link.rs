//! Links a generated object with a template in memory, by libbpf's static linker, and makes the
//! generated functions static so that the verifier checks them where they are called.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::fd::{AsRawFd, FromRawFd};
use std::ptr;

use ewapa_templates::SHARED;
use object::read::elf::ElfFile64;
use object::{Object, ObjectSection};

use crate::Error;
use crate::btf::{HEADER, KIND_FUNC, MAGIC};
use crate::program::{CLAUSE, LOOP};

/// Links both objects.
///
/// # Errors
/// libbpf refuses one of them, or there is no memory for the result.
pub fn link(template: &[u8], generated: &[u8]) -> Result<Vec<u8>, Error> {
    let mut linked = run_linker(template, generated)?;
    make_functions_static(&mut linked, &[SHARED, CLAUSE, LOOP])?;
    Ok(linked)
}

fn run_linker(template: &[u8], generated: &[u8]) -> Result<Vec<u8>, Error> {
    let failed = |step| move |source| Error::Link { step, source };
    // SAFETY: the name is a C string; a descriptor that is not negative is new and ours.
    let mut out = unsafe {
        let fd = libc::memfd_create(c"ewapa".as_ptr(), libc::MFD_CLOEXEC);
        if fd < 0 {
            return Err(failed("memfd_create")(io::Error::last_os_error()));
        }
        File::from_raw_fd(fd)
    };
    // SAFETY: the descriptor is open; the buffers live until the linker is freed; libbpf copies what it
    // keeps of them. A null linker is not used further.
    unsafe {
        let linker = libbpf_sys::bpf_linker__new_fd(out.as_raw_fd(), ptr::null_mut());
        if linker.is_null() {
            return Err(failed("bpf_linker__new_fd")(io::Error::last_os_error()));
        }
        let mut result = Ok(());
        for object in [template, generated] {
            let code = libbpf_sys::bpf_linker__add_buf(
                linker,
                object.as_ptr().cast_mut().cast(),
                object.len() as _,
                ptr::null_mut(),
            );
            if result.is_ok() && code != 0 {
                result = Err(failed("bpf_linker__add_buf")(io::Error::from_raw_os_error(
                    -code,
                )));
            }
        }
        if result.is_ok() {
            let code = libbpf_sys::bpf_linker__finalize(linker);
            if code != 0 {
                result = Err(failed("bpf_linker__finalize")(
                    io::Error::from_raw_os_error(-code),
                ));
            }
        }
        libbpf_sys::bpf_linker__free(linker);
        result?;
    }
    let mut bytes = Vec::new();
    out.seek(SeekFrom::Start(0))
        .and_then(|_| out.read_to_end(&mut bytes))
        .map_err(failed("reading the result"))?;
    Ok(bytes)
}

/// A global function is verified on its own and may be given nothing but the context and plain memory;
/// a static one is verified with what its caller gives it. The linkage is the `vlen` of a BTF function.
fn make_functions_static(linked: &mut [u8], prefixes: &[&str]) -> Result<(), Error> {
    let malformed = Error::Malformed;
    let range = {
        let elf: ElfFile64<'_> =
            ElfFile64::parse(&*linked).map_err(|_| malformed("not an ELF object"))?;
        let section = elf
            .section_by_name(".BTF")
            .ok_or(malformed("no .BTF section"))?;
        section
            .file_range()
            .ok_or(malformed(".BTF has no contents"))?
    };
    let (start, size) = (range.0 as usize, range.1 as usize);
    let btf = linked
        .get_mut(start..start + size)
        .ok_or(malformed(".BTF lies outside of the object"))?;
    let word = |btf: &[u8], at: usize| -> Result<u32, Error> {
        let bytes = btf.get(at..at + 4).ok_or(malformed(".BTF is cut short"))?;
        Ok(u32::from_ne_bytes(bytes.try_into().expect("four bytes")))
    };
    if word(btf, 0)? as u16 != MAGIC || word(btf, 4)? as usize != HEADER {
        return Err(malformed(".BTF has an unknown header"));
    }
    let (types_start, types_size, strings) = (
        HEADER + word(btf, 8)? as usize,
        word(btf, 12)? as usize,
        HEADER + word(btf, 16)? as usize,
    );
    let mut at = types_start;
    while at < types_start + types_size {
        let (name, info) = (word(btf, at)?, word(btf, at + 4)?);
        let (kind, vlen) = (info >> 24 & 0x1f, (info & 0xffff) as usize);
        if kind == KIND_FUNC {
            let name = btf
                .get(strings + name as usize..)
                .ok_or(malformed("a BTF name lies outside of the strings"))?;
            if prefixes
                .iter()
                .any(|prefix| name.starts_with(prefix.as_bytes()))
            {
                btf[at + 4..at + 8].copy_from_slice(&(info & !0xffff).to_ne_bytes());
            }
        }
        // Documentation/bpf/btf.rst: what follows the common twelve bytes, by kind.
        let rest = match kind {
            1 | 14 | 17 => 4,
            3 => 12,
            4 | 5 | 15 | 19 => 12 * vlen,
            6 | 13 => 8 * vlen,
            2 | 7..=12 | 16 | 18 => 0,
            _ => return Err(malformed("unknown kind of BTF type")),
        };
        at += 12 + rest;
    }
    Ok(())
}
