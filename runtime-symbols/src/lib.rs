//! Which runtime a binary is, and where its WASI functions are.
//!
//! [`Catalogue::bundled`] holds what is known about each runtime, one TOML file each under `catalogue/`.
//! [`Catalogue::inspect`] reads an ELF file and answers with an [`Inspection`]. The way of a binary:
//!
//! ```text
//! file --map, elf--> symbol tables --needles--> candidate names --demangle, resolve--> functions
//!      --prologue--> probe sites --> Image
//! ```
//!
//! - `needles` passes once over the string table and keeps the few names that a rule could match;
//! - `resolve` takes the first variant of a runtime whose rules all find something;
//! - `prologue` moves a probe from the first byte to an instruction that the kernel emulates, where one
//!   can be reached with stack pointer and argument registers untouched;
//! - `go` reads the functions of Go programs, where their calls begin for good, and what tells goroutines apart;
//! - `handover` finds, where a trampoline has no such place, the function that it hands the call to;
//! - `route` finds, where a trampoline serves one function only, which one that is.
//!
//! To add a runtime, write its catalogue file and name it in `catalogue.rs`.

pub mod abi;
mod build;
mod catalogue;
mod demangle;
mod elf;
mod error;
mod exits;
mod folder;
mod functions;
mod go;
mod handover;
mod image;
mod inspect;
mod linker;
mod map;
mod needles;
mod notes;
mod origin;
mod place;
mod pointers;
mod prologue;
mod resolve;
mod route;
mod schema;
mod separate;
mod stripped;
mod texts;
mod version;

pub use catalogue::Catalogue;
pub use elf::FileOffset;
pub use error::{CatalogueError, Error};
pub use exits::exits;
pub use folder::catalogue_files;
pub use functions::{Functions, has_symbols};
pub use go::{Current, Goroutines};
pub use image::{Image, Inner, Inspection, Missing, Reason, Refused, Site};
pub use linker::{LinkerHook, linker_hook};
pub use notes::{Note, notes, notes_of_bytes};
pub use origin::Origin;
pub use place::{Place, PlaceError};
pub use prologue::Cost;
pub use schema::Role;
pub use separate::{SymbolSource, Tried};
pub use stripped::Stripped;
