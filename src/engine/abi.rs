//! The catalogue's ABIs in the numbers of the templates, and those of one file.

use ewapa_symbols::abi::{Abi, Args, Buffers, Errno, Memory, Register, Valid};
use ewapa_symbols::{Catalogue, Site};
use ewapa_templates::{IMAGE_ABIS, Image};

use super::load::Error;

/// The ABIs of the sites of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Abis(Vec<usize>);

impl Abis {
    /// Those of these sites.
    ///
    /// # Errors
    /// There are too many.
    pub fn of(sites: &[Site]) -> Result<Abis, Error> {
        let mut abis: Vec<usize> = sites.iter().map(Site::probed_abi).collect();
        abis.sort_unstable();
        abis.dedup();
        if abis.len() > IMAGE_ABIS {
            return Err(Error::Abis { found: abis.len() });
        }
        Ok(Abis(abis))
    }

    /// The index in [`Image::abis`] of that of a site.
    pub fn index(&self, site: &Site) -> u8 {
        let wanted = site.probed_abi();
        self.0.iter().position(|abi| *abi == wanted).unwrap_or(0) as u8
    }

    /// Whether guest memory is searched.
    pub fn search(&self) -> bool {
        let all = Catalogue::in_use().abis();
        self.0.iter().any(|abi| all[*abi].memory == Memory::Search)
    }

    /// What programs know of a file with these ABIs and these roles, a bit for each.
    pub fn image(&self, roles: u8, number: u8) -> Image {
        let all = Catalogue::in_use().abis();
        let mut image = Image {
            count: self.0.len() as u8,
            roles,
            number,
            ..Image::default()
        };
        for (place, abi) in image.abis.iter_mut().zip(&self.0) {
            *place = encode(&all[*abi]);
        }
        image
    }
}

/// One ABI as the templates read it.
pub fn encode(abi: &Abi) -> ewapa_templates::Abi {
    let (args, args_reg, stride, args_off) = match abi.args {
        Args::Unknown => (0, 0, 0, 0),
        Args::Registers(first) => (1, register(first), 0, 0),
        Args::Array { base, stride } => (2, register(base), stride, 0),
        Args::IndirectArray { base, stride } => (3, register(base), stride, 0),
        Args::Captured {
            base,
            offset,
            stride,
        } => (4, register(base), stride, offset),
    };
    let (memory, memory_reg, memory_off) = match abi.memory {
        Memory::Unknown => (0, 0, 0),
        Memory::Host => (1, 0, 0),
        Memory::Register(base) => (2, register(base), 0),
        Memory::Indirect { base, offset } => (3, register(base), offset),
        Memory::Search => (4, 0, 0),
        Memory::Context { memory, .. } => (5, 0, memory),
        Memory::Store { memories, .. } => (6, 0, memories),
    };
    let memory_more = match abi.memory {
        Memory::Context { id, slot, .. } => [id.cast_unsigned(), slot],
        Memory::Store {
            description, base, ..
        } => [description, base],
        _ => [0, 0],
    };
    ewapa_templates::Abi {
        args,
        args_reg,
        stride,
        errno_at: match abi.errno {
            Errno::Unknown => 0,
            Errno::Return => 1,
            Errno::FirstCell => 2,
        },
        valid: match abi.valid {
            Valid::Always => 0,
            Valid::ReturnNonzero => 1,
            Valid::ReturnZero => 2,
        },
        memory,
        memory_reg,
        memory_off,
        args_off,
        buffers: match abi.buffers {
            Buffers::Guest => 0,
            Buffers::Host => 1,
        },
        memory_more,
    }
}

fn register(register: Register) -> u8 {
    match register {
        Register::Rdi => 0,
        Register::Rsi => 1,
        Register::Rdx => 2,
        Register::Rcx => 3,
        Register::R8 => 4,
        Register::R9 => 5,
    }
}
