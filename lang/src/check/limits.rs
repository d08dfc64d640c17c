//! How large a script and what is in it may be.

/// A script may have so many tables and maps together: the kernel lets a program have 64 maps, and some are
/// those of every run.
pub(super) const MAX_STORES: usize = 50;

/// A script may have so many parameters.
pub(super) const MAX_PARAMS: usize = 64;

/// A table may have so many keys: they wait on the stack of the eBPF program, which has 512 bytes.
pub(super) const MAX_KEYS: usize = 16;

/// A table may have so many columns.
pub(super) const MAX_COLUMNS: usize = 64;

/// The store of a table may have so many slots.
pub(super) const MAX_SLOTS: usize = 64;

/// A script may have so many tables and events of probe blocks.
pub(super) const MAX_CLAUSES: usize = 256;

/// A probe block may have so many statements, those within its `if`s counted.
pub(super) const MAX_BLOCK_STATEMENTS: usize = 128;

/// All probe blocks may have so many statements together, those for each of several events counted.
pub(super) const MAX_STATEMENTS: usize = 1024;

/// `if` may nest so deep.
pub(super) const MAX_IFS: usize = 16;

/// A probe block may have so many variables: they are on the stack of the eBPF program.
pub(super) const MAX_VARIABLES: usize = 16;

/// User space may be told so many different things.
pub(super) const MAX_MESSAGES: usize = 256;

/// A message may have so many bytes: its room in the ring buffer is asked for at once.
pub(super) const MAX_MESSAGE: usize = 4096;

/// The keys of maps that are read within the key of another one may have so many bytes together.
pub(super) const MAX_READ_KEYS: usize = 128;

/// An expression that the kernel evaluates may nest so deep.
pub(super) const MAX_DEPTH: usize = 64;

/// All expressions that the kernel evaluates may have so many operators and operands together.
pub(super) const MAX_NODES: usize = 4000;
