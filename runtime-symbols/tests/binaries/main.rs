//! Inspects binaries that are built by code.

mod damage;
mod fixture;
mod recognition;
