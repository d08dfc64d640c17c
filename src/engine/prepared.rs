//! A relocated program, loaded when it is needed, and again for each file that it is attached to.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::Arc;

use aya_obj::generated::bpf_insn;
use ewapa_templates::Image;
use libbpf_sys as bpf;

use super::load::{Error, Images};

/// What the kernel is given of a program.
#[derive(Clone)]
pub struct Prepared {
    /// Its name.
    pub name: String,
    /// `BPF_PROG_TYPE_*`
    pub ty: u32,
    /// `BPF_TRACE_*`, or 0.
    pub attach_type: u32,
    /// Of a tracepoint with typed arguments: its id in the kernel's BTF.
    pub attach_to: u32,
    /// It may wait for memory of the process.
    pub may_sleep: bool,
    /// Its licence.
    pub license: CString,
    /// Its instructions, and where they come from.
    pub function: aya_obj::Function,
    /// The object's BTF, if the kernel takes any.
    pub btf: Option<Arc<OwnedFd>>,
}

/// `BPF_LD | BPF_IMM | BPF_DW`
const LOAD_WIDE: u8 = 0x18;

impl Prepared {
    /// Loads it as it stands in the object.
    ///
    /// # Errors
    /// [`Error::Verifier`] if the kernel refuses it.
    pub fn load(&self) -> Result<OwnedFd, Error> {
        self.load_instructions(&self.function.instructions)
    }

    /// Loads it for one file.
    ///
    /// # Errors
    /// [`Error::Verifier`] if the kernel refuses it.
    pub fn load_for(&self, images: &Images, image: &Image) -> Result<OwnedFd, Error> {
        let map = images.map(image)?;
        let mut instructions = self.function.instructions.clone();
        put_in_place(
            &mut instructions,
            images.section,
            map.fd().as_fd().as_raw_fd(),
        );
        self.load_instructions(&instructions)
    }

    fn load_instructions(&self, instructions: &[bpf_insn]) -> Result<OwnedFd, Error> {
        let function = &self.function;
        let name =
            CString::new(self.name.as_str()).map_err(|_| Error::Missing(self.name.clone()))?;
        let func_info = function.func_info.func_info_bytes();
        let line_info = function.line_info.line_info_bytes();

        // SAFETY: the structure is plain data; zero is its default.
        let mut options: bpf::bpf_prog_load_opts = unsafe { std::mem::zeroed() };
        options.sz = size_of::<bpf::bpf_prog_load_opts>() as _;
        options.expected_attach_type = self.attach_type;
        options.attach_btf_id = self.attach_to;
        options.prog_flags = if self.may_sleep {
            bpf::BPF_F_SLEEPABLE
        } else {
            0
        };
        if let Some(btf) = &self.btf {
            options.prog_btf_fd = btf.as_raw_fd() as u32;
            options.func_info = func_info.as_ptr().cast();
            options.func_info_cnt = function.func_info.func_info.len() as u32;
            options.func_info_rec_size = function.func_info_rec_size as u32;
            options.line_info = line_info.as_ptr().cast();
            options.line_info_cnt = function.line_info.line_info.len() as u32;
            options.line_info_rec_size = function.line_info_rec_size as u32;
        }
        let load = |options: &bpf::bpf_prog_load_opts| {
            // SAFETY: name, licence, instructions and what the options point to live across the call;
            // aya's and libbpf's instruction are the kernel's `struct bpf_insn`.
            unsafe {
                bpf::bpf_prog_load(
                    self.ty,
                    name.as_ptr(),
                    self.license.as_ptr(),
                    instructions.as_ptr().cast(),
                    instructions.len() as _,
                    std::ptr::from_ref(options).cast_mut(),
                )
            }
        };
        let fd = load(&options);
        if fd >= 0 {
            // SAFETY: a new descriptor that is ours.
            return Ok(unsafe { OwnedFd::from_raw_fd(fd) });
        }
        let source = io::Error::from_raw_os_error(-fd);
        let mut log = vec![0u8; 1 << 20];
        options.log_level = 1;
        options.log_buf = log.as_mut_ptr().cast();
        options.log_size = log.len() as u32;
        let second = load(&options);
        if second >= 0 {
            // SAFETY: a new descriptor that is ours.
            return Ok(unsafe { OwnedFd::from_raw_fd(second) });
        }
        let end = log.iter().position(|byte| *byte == 0).unwrap_or(log.len());
        let log = String::from_utf8_lossy(&log[..end]).into_owned();
        Err(Error::Verifier {
            program: self.name.clone(),
            source,
            log,
        })
    }
}

/// Puts another map where instructions load the address of a value in this one.
fn put_in_place(instructions: &mut [bpf_insn], old: RawFd, new: RawFd) {
    for instruction in instructions {
        if instruction.code == LOAD_WIDE
            && u32::from(instruction.src_reg()) == bpf::BPF_PSEUDO_MAP_VALUE
            && instruction.imm == old
        {
            instruction.imm = new;
        }
    }
}
