//! The machine that the tests run on.

use std::path::PathBuf;

/// The ewapa under test.
pub fn ewapa() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_ewapa"))
}
